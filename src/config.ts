// What the environment says, read once and checked once. Pure: the environment goes in, values or
// every problem come out.

import type { RootSecrets } from './secrets/root-secret.ts'

export type SigningAlg = 'ES256' | 'EdDSA' | 'RS256' | 'PS256'
export type MigrateMode = 'auto' | 'check' | 'off'

export interface RedisTarget {
  readonly mode: 'single' | 'cluster' | 'sentinel'
  readonly tls: boolean
  readonly nodes: readonly { readonly host: string; readonly port: number }[]
  readonly username: string | undefined
  readonly password: string | undefined
  readonly db: number
  /** The master's name; only with Sentinel. */
  readonly sentinelName: string | undefined
}

export interface Argon2Parameters {
  readonly memoryKib: number
  readonly time: number
  readonly parallelism: number
}

/** What both modes share. */
export interface CommonConfig {
  readonly port: number
  readonly host: string
  readonly logLevel: string
  readonly dataDir: string
  readonly adminClient: { readonly id: string; readonly secret: string } | undefined
  readonly registration: 'closed' | 'open'
  readonly signingAlg: SigningAlg
  readonly keyRotationDays: number
  readonly jwksMaxAgeSeconds: number
  readonly accessTokenTtlSeconds: number
  readonly refreshIdleTtlSeconds: number
  readonly refreshAbsoluteTtlSeconds: number
  readonly refreshGraceSeconds: number
  /** Undefined means the issuer. */
  readonly defaultAudience: string | undefined
  /** CIDR ranges, or empty: forwarded headers are then ignored. */
  readonly trustProxy: readonly string[]
  readonly opsPort: number | undefined
  readonly migrate: MigrateMode
  readonly shutdownDelaySeconds: number
  readonly eventRetentionDays: number
  readonly argon2: Argon2Parameters
  readonly passwordMinLength: number
  readonly passwordMaxLength: number
}

export interface EmbeddedConfig extends CommonConfig {
  readonly mode: 'embedded'
}

export interface ServerConfig extends CommonConfig {
  readonly mode: 'server'
  readonly issuer: string
  readonly databaseUrl: string
  /** Undefined keeps families in PostgreSQL. */
  readonly redis: RedisTarget | undefined
  readonly rootSecrets: RootSecrets
}

export type Config = EmbeddedConfig | ServerConfig

/**
 * What the running service needs, whichever mode it came from: embedded mode fills in its own
 * database, issuer and root secret and is a server from there on.
 */
export type ServiceConfig = Omit<ServerConfig, 'mode'>
