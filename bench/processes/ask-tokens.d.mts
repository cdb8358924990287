// The types of ask-tokens.mjs.

export interface TokenEndpoint {
  readonly url: string
  /** What proofs name, which is below the issuer. */
  readonly htu: string
  /** A private JWK of P-256; without one there are no proofs. */
  readonly key?: object | undefined
}

export interface TokenReply {
  readonly ok: boolean
  readonly body: { readonly refresh_token?: string; readonly error?: string }
}

export function openTokenEndpoint(
  endpoint: TokenEndpoint,
): (form: Readonly<Record<string, string>>) => Promise<TokenReply>
