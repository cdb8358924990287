// A client as instances hold it in memory: limits resolved to numbers, secrets as hashes.

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
  /** Families and own tokens from before this moment are refused. */
  readonly sessionsValidFrom: Date
  readonly secrets: readonly ClientSecretHash[]
  readonly createdAt: Date
  readonly updatedAt: Date
}
