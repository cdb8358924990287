// What a token is bound to (RFC 7800 `cnf`): a key of DPoP, a certificate, or both. Whoever presents a
// bound token has to show that he holds them.

/** SHA-256 thumbprints, base64url; one member at least. */
export interface Confirmation {
  /** Of the public key of DPoP proofs (RFC 9449 §6.1). */
  readonly jkt?: string
  /** Of the client's certificate (RFC 8705 §3.1). */
  readonly 'x5t#S256'?: string
}

/** How a token with it is presented, by the names of RFC 6750 §6.1.1 and RFC 9449 §5. */
export function tokenTypeOf(confirmation: Confirmation | undefined): 'Bearer' | 'DPoP' {
  return confirmation?.jkt === undefined ? 'Bearer' : 'DPoP'
}

/** Whether whoever has shown `shown` holds all that something is bound to; nothing is, without `wanted`. */
export function isShown(
  wanted: Confirmation | undefined,
  shown: Confirmation | undefined,
): boolean {
  if (!wanted) return true
  const { jkt, 'x5t#S256': x5t } = wanted
  return (
    (jkt === undefined || jkt === shown?.jkt) && (x5t === undefined || x5t === shown?.['x5t#S256'])
  )
}

/**
 * Whether a value of a token is one. Only with members that we check: one more would be a binding that
 * nobody asks for.
 */
export function isConfirmation(value: unknown): value is Confirmation {
  if (typeof value !== 'object' || value === null) return false
  const members = Object.entries(value)
  return members.length > 0 && members.every(([name, text]) => isThumbprint(name, text))
}

function isThumbprint(name: string, text: unknown): boolean {
  return (name === 'jkt' || name === 'x5t#S256') && typeof text === 'string' && text !== ''
}
