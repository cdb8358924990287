// A client as instances hold it in memory: limits resolved to numbers, secrets as hashes.

import type {
  ClientKeys,
  ExchangePolicy,
  FederatedIdentity,
  TlsClientAuth,
} from './client-settings.ts'

export type ClientId = string & { readonly brand: 'ClientId' }

export interface ClientSecretHash {
  readonly id: string
  /** SHA-256 of the secret. */
  readonly hash: Buffer
  readonly createdAt: Date
}

export interface Client {
  readonly id: ClientId
  readonly name: string
  readonly type: 'confidential' | 'public'
  /** Names of grants, whose list is in src/grants. */
  readonly grantTypes: readonly string[]
  readonly scopes: readonly string[]
  readonly defaultScopes: readonly string[]
  readonly audiences: readonly string[]
  /** Names of authentication methods, whose list is in src/client-auth. */
  readonly authMethods: readonly string[]
  readonly accessTokenTtlSeconds: number
  readonly refreshIdleTtlSeconds: number
  readonly refreshAbsoluteTtlSeconds: number
  readonly refreshGraceSeconds: number
  readonly tokenDelivery: 'body' | 'cookie'
  readonly accessTokenCookie: boolean
  readonly allowedOrigins: readonly string[]
  readonly forwardsClientIp: boolean
  /** Whether only users with a second factor may log in here. */
  readonly requireFactor: boolean
  /** At most one of `jwks` and `jwksUri` is there. */
  readonly jwks: ClientKeys | null
  readonly jwksUri: string | null
  /** Whether `jwksUri` may lead to a private address. */
  readonly allowPrivateNetwork: boolean
  /** What its assertions may be signed with; all that there are while it is empty. */
  readonly assertionAlgs: readonly string[]
  /** Empty: nobody's. */
  readonly federatedIdentities: readonly FederatedIdentity[]
  /** Empty: it exchanges nothing. */
  readonly exchange: readonly ExchangePolicy[]
  readonly dpopBoundAccessTokens: boolean
  readonly tlsClientAuth: TlsClientAuth | null
  readonly tlsClientCertificateBoundAccessTokens: boolean
  readonly refreshRotation: 'always' | 'never'
  /** A refresh token that is younger is answered with itself. */
  readonly refreshRotateAfterSeconds: number
  /** Null follows the configuration. */
  readonly signingAlg: string | null
  /** Families and own tokens from before this moment are refused. */
  readonly sessionsValidFrom: Date
  readonly secrets: readonly ClientSecretHash[]
  readonly createdAt: Date
  readonly updatedAt: Date
}
