// What an access token of Lineage says (RFC 9068 §2.2), once it is verified.

/** SHA-256 thumbprints of what the token is bound to. */
export interface Confirmation {
  /** Of the key of DPoP proofs (RFC 9449 §6.1). */
  readonly jkt?: string
  /** Of a client certificate (RFC 8705 §3.1). */
  readonly 'x5t#S256'?: string
}

/** Who acts for the subject; whoever acted before stands within (RFC 8693 §4.1). */
export interface Actor {
  readonly sub: string
  readonly act?: Actor
  readonly [claim: string]: unknown
}

export interface AccessTokenClaims {
  readonly iss: string
  /** The user when there is a `sid`, else the client itself. */
  readonly sub: string
  readonly aud: string | readonly string[]
  readonly client_id: string
  readonly jti: string
  /** Epoch seconds, as `iat`, `nbf` and `auth_time`. */
  readonly exp: number
  readonly iat: number
  readonly nbf?: number
  readonly scope?: string
  readonly sid?: string
  readonly auth_time?: number
  readonly amr?: readonly string[]
  readonly roles?: readonly string[]
  readonly act?: Actor
  readonly cnf?: Confirmation
  readonly [claim: string]: unknown
}

/** Whether every one of the scopes, which blanks separate, was granted. */
export function hasScope(
  { scope = '' }: Pick<AccessTokenClaims, 'scope'>,
  needed: string,
): boolean {
  const granted = scope.split(' ')
  return needed
    .split(' ')
    .filter((one) => one !== '')
    .every((one) => granted.includes(one))
}
