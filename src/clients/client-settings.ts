// The members of a client that have a shape of their own.

import type { JWK } from 'jose'

/** Public keys only (RFC 7517 §5). */
export interface ClientKeys {
  readonly keys: readonly JWK[]
}

/** Whose assertions count as this client's: a subject of a trusted issuer. */
export interface FederatedIdentity {
  /** The id of the trusted issuer. */
  readonly trustedIssuer: string
  readonly subject: string
  /** Claims that the assertion must have besides, with these values. */
  readonly claims?: Readonly<Record<string, string>>
}

/** What a client may exchange a token for (RFC 8693). */
export interface ExchangePolicy {
  readonly audience: string
  readonly scopes: readonly string[]
  /** The clients whose tokens it may bring. */
  readonly subjectClients: readonly string[]
  /** Whether the new token names its actor. */
  readonly mode: (typeof EXCHANGE_MODES)[number]
  /** The client that alone may exchange the new token in turn; without it every policy may. */
  readonly mayAct?: string
}

export const EXCHANGE_MODES = ['delegation', 'impersonation'] as const

/** The names in a certificate of which one proves the client (RFC 8705 §2.1.2). */
export const TLS_CLIENT_NAMES = ['subjectDn', 'sanDns', 'sanUri', 'sanIp', 'sanEmail'] as const

/** Exactly one of the names. */
export type TlsClientAuth = {
  readonly [Name in (typeof TLS_CLIENT_NAMES)[number]]?: string
}
