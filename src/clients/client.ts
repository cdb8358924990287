// A client as instances hold it in memory: limits resolved to numbers, secrets as hashes.

export type ClientId = string & { readonly brand: 'ClientId' }

export const GRANT_TYPES = ['password', 'refresh_token', 'client_credentials'] as const
export type GrantType = (typeof GRANT_TYPES)[number]

export const AUTH_METHODS = ['client_secret_basic', 'client_secret_post', 'none'] as const
export type AuthMethod = (typeof AUTH_METHODS)[number]

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
  readonly grantTypes: readonly GrantType[]
  readonly scopes: readonly string[]
  readonly defaultScopes: readonly string[]
  readonly audiences: readonly string[]
  readonly authMethods: readonly AuthMethod[]
  readonly accessTokenTtlSeconds: number
  readonly refreshIdleTtlSeconds: number
  readonly refreshAbsoluteTtlSeconds: number
  readonly refreshGraceSeconds: number
  readonly tokenDelivery: 'body' | 'cookie'
  readonly accessTokenCookie: boolean
  readonly allowedOrigins: readonly string[]
  readonly forwardsClientIp: boolean
  /** Families and own tokens from before this moment are refused. */
  readonly sessionsValidFrom: Date
  readonly secrets: readonly ClientSecretHash[]
  readonly createdAt: Date
  readonly updatedAt: Date
}
