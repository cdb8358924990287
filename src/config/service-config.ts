// The configuration of the service from its environment: read once, with every problem in one
// message. config-table.ts has the rules for single settings, this file those between settings.

import { readFileSync } from 'node:fs'
import type { ClientLimits } from '../clients/client-draft.ts'
import type { KeySettings } from '../keys/key-states.ts'
import type { RedisTarget } from '../redis/redis-target.ts'
import { StartError } from '../runtime/start-error.ts'
import type { RootSecrets } from '../secrets/root-secret.ts'
import type { TelemetrySettings } from '../tracing/telemetry-settings.ts'
import { THREADED_WORK_MAX, WORK_MAX } from '../users/argon2-parameters.ts'
import type { PasswordLimits } from '../users/password-policy.ts'
import type { SettingName, Settings } from './config-table.ts'
import { isLoopbackHost } from './config-values.ts'
import type { Environment } from './environment.ts'
import { findMissingOfMail, toMailSettings } from './mail-settings.ts'
import { type ReadFile, readSettings } from './read-settings.ts'
import { hasServiceLinks } from './service-links.ts'
import { findSigningProblems, toSigningAlgs } from './signing-values.ts'
import { findTelemetryWarnings, readTelemetry } from './telemetry.ts'
import { findTlsFaults, toTlsFiles } from './tls-settings.ts'

/** What both modes share. */
export interface CommonConfig extends Readonly<ReturnType<typeof toCommonConfig>> {
  /** Undefined: no traces, no metrics but those that are asked for. */
  readonly telemetry: TelemetrySettings | undefined
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

/** Embedded mode makes these itself, so none of them may be given (docs/semantics.md §19). */
const EMBEDDED_WITHOUT = [
  'DATABASE_URL',
  'REDIS_URL',
  'LINEAGE_SECRET_KEY',
  'LINEAGE_ISSUER',
] as const
const SERVER_NEEDS = ['DATABASE_URL', 'LINEAGE_SECRET_KEY', 'LINEAGE_ISSUER'] as const
const ADMIN_PAIR = ['LINEAGE_ADMIN_CLIENT_ID', 'LINEAGE_ADMIN_CLIENT_SECRET'] as const

/** Reads the environment. Throws ONE StartError with what `readConfig` says of it. */
export function loadConfig(env: Environment, readFile?: ReadFile): Config {
  const read = readConfig(env, readFile)
  if ('config' in read) return read.config
  throw new StartError(`The configuration is not valid:\n  ${read.problems.join('\n  ')}`)
}

/**
 * The configuration, or all that is wrong with it: a sentence for each problem, without values.
 * `readFile` fetches the secrets given as `NAME_FILE`.
 */
export function readConfig(
  env: Environment,
  readFile: ReadFile = (path) => readFileSync(path, 'utf8'),
): { readonly config: Config } | { readonly problems: readonly string[] } {
  const { values, problems, given } = readSettings(env, readFile)
  const isEmbedded = EMBEDDED_WITHOUT.every((name) => !given.has(name))
  const { telemetry, problems: telemetryProblems } = readTelemetry(env, readFile)
  const all = [
    ...problems,
    ...findMissing(values, given),
    ...findContradictions(values),
    ...findTlsFaults(values, given, isEmbedded, readFile),
    ...findSigningProblems(values, given),
    ...telemetryProblems,
  ]
  if (all.length > 0) return { problems: [...new Set(all)] }
  const settings = values as Settings
  const { LINEAGE_ISSUER: issuer, DATABASE_URL: databaseUrl, REDIS_URL: redis } = settings
  const rootSecrets = settings.LINEAGE_SECRET_KEY
  const common = { ...toCommonConfig(settings, given), telemetry }
  // After findMissing these three are set together or, in embedded mode, not at all.
  if (!issuer || !databaseUrl || !rootSecrets) return { config: { mode: 'embedded', ...common } }
  return { config: { mode: 'server', ...common, issuer, databaseUrl, redis, rootSecrets } }
}

function findMissing(values: Partial<Settings>, given: ReadonlySet<SettingName>): string[] {
  // With a bad HOST, which is a problem of its own, it is unknown which mode was meant.
  const mayEmbed = values.HOST === undefined || isLoopbackHost(values.HOST)
  const forServer = EMBEDDED_WITHOUT.filter((name) => given.has(name))
  const isEmbedded = mayEmbed && forServer.length === 0
  const needed = isEmbedded ? [] : SERVER_NEEDS.filter((name) => !given.has(name))
  const adminMissing = ADMIN_PAIR.filter((name) => !given.has(name))
  const halves = adminMissing.length === ADMIN_PAIR.length ? [] : adminMissing
  const missing = [...needed, ...halves, ...findMissingOfMail(given)].map(
    (name) => `${name} is missing.`,
  )
  if (!isEmbedded && forServer.length === 0) {
    missing.push('HOST is not a loopback address: without these three only such a one starts.')
  }
  if (isEmbedded && typeof values.LINEAGE_WORKERS === 'number' && values.LINEAGE_WORKERS > 1) {
    missing.push('LINEAGE_WORKERS must be 1 or auto in embedded mode, which is one process.')
  }
  if (forServer.join() === 'REDIS_URL') {
    missing.push('REDIS_URL is set: a start without these three has no Redis.')
  }
  return missing
}

/** Warnings about settings that are allowed but hardly meant: one sentence each, without values. */
export function findConfigWarnings(
  env: Environment,
  { adminClient }: Pick<CommonConfig, 'adminClient'>,
): string[] {
  const warnings = findTelemetryWarnings(env)
  if (hasServiceLinks(env)) {
    warnings.push('variables of a Kubernetes Service named lineage… are ignored as settings')
  }
  if (env.UV_THREADPOOL_SIZE === '') {
    warnings.push('UV_THREADPOOL_SIZE is empty, which Node takes for 1: leave it out')
  }
  if (adminClient && /[^\w.~-]/.test(adminClient.secret)) {
    warnings.push(
      'LINEAGE_ADMIN_CLIENT_SECRET has characters that must be form-encoded, also for ' +
        'client_secret_basic (RFC 6749 §2.3.1), as many clients do not: use letters, digits, - and _',
    )
  }
  return warnings
}

function findContradictions(values: Partial<Settings>): string[] {
  const number = (name: SettingName): number => {
    const value = values[name]
    // Every comparison with NaN is false: a value that is missing contradicts nothing.
    return typeof value === 'number' ? value : Number.NaN
  }
  const work = number('LINEAGE_ARGON2_MEMORY_KIB') * number('LINEAGE_ARGON2_TIME')
  const rules: readonly (readonly [isBroken: boolean, problem: string])[] = [
    [
      number('LINEAGE_OPS_PORT') === number('PORT'),
      'LINEAGE_OPS_PORT must be another port than PORT.',
    ],
    [
      number('LINEAGE_ACCESS_TOKEN_TTL_SECONDS') <= number('LINEAGE_REFRESH_GRACE_SECONDS'),
      'LINEAGE_ACCESS_TOKEN_TTL_SECONDS must be above LINEAGE_REFRESH_GRACE_SECONDS.',
    ],
    [
      number('LINEAGE_REFRESH_IDLE_TTL_SECONDS') > number('LINEAGE_REFRESH_ABSOLUTE_TTL_SECONDS'),
      'LINEAGE_REFRESH_IDLE_TTL_SECONDS must not be over LINEAGE_REFRESH_ABSOLUTE_TTL_SECONDS.',
    ],
    [
      number('LINEAGE_ARGON2_MEMORY_KIB') < 8 * number('LINEAGE_ARGON2_PARALLELISM'),
      'LINEAGE_ARGON2_MEMORY_KIB must be 8 or more for each LINEAGE_ARGON2_PARALLELISM.',
    ],
    [
      // Beyond these bounds no login would verify such a hash.
      work > WORK_MAX || work * number('LINEAGE_ARGON2_PARALLELISM') > THREADED_WORK_MAX,
      `LINEAGE_ARGON2_MEMORY_KIB times LINEAGE_ARGON2_TIME must be at most ${WORK_MAX}, and ` +
        `times LINEAGE_ARGON2_PARALLELISM at most ${THREADED_WORK_MAX}.`,
    ],
    [
      number('LINEAGE_PASSWORD_MIN_LENGTH') > number('LINEAGE_PASSWORD_MAX_LENGTH'),
      'LINEAGE_PASSWORD_MIN_LENGTH must not be over LINEAGE_PASSWORD_MAX_LENGTH.',
    ],
  ]
  return rules.filter(([isBroken]) => isBroken).map(([, problem]) => problem)
}

function toCommonConfig(settings: Settings, given: ReadonlySet<SettingName>) {
  const { LINEAGE_ADMIN_CLIENT_ID: id, LINEAGE_ADMIN_CLIENT_SECRET: secret } = settings
  const common = {
    port: settings.PORT,
    host: settings.HOST,
    logLevel: settings.LOG_LEVEL,
    /** Concerns of the log with a level of their own. */
    logConcerns: settings.LOG_LEVELS ?? new Map(),
    logFormat: settings.LOG_FORMAT,
    dataDir: settings.LINEAGE_DATA_DIR,
    adminClient: id !== undefined && secret !== undefined ? { id, secret } : undefined,
    registration: settings.LINEAGE_REGISTRATION,
    signingAlgs: toSigningAlgs(settings),
    /** What audiences read that do not read the default. */
    audienceSigningAlgs: settings.LINEAGE_AUDIENCE_SIGNING_ALGS ?? new Map(),
    keyRotationDays: settings.LINEAGE_KEY_ROTATION_DAYS,
    jwksMaxAgeSeconds: settings.LINEAGE_JWKS_MAX_AGE_SECONDS,
    accessTokenTtlSeconds: settings.LINEAGE_ACCESS_TOKEN_TTL_SECONDS,
    refreshIdleTtlSeconds: settings.LINEAGE_REFRESH_IDLE_TTL_SECONDS,
    refreshAbsoluteTtlSeconds: settings.LINEAGE_REFRESH_ABSOLUTE_TTL_SECONDS,
    refreshGraceSeconds: settings.LINEAGE_REFRESH_GRACE_SECONDS,
    /** Undefined means the issuer. */
    defaultAudience: settings.LINEAGE_DEFAULT_AUDIENCE,
    assertionAudience: settings.LINEAGE_ASSERTION_AUDIENCE,
    /** CIDR ranges, or empty: forwarded headers are then ignored. */
    trustProxy: settings.LINEAGE_TRUST_PROXY ?? [],
    /** Undefined: plain HTTP. */
    tls: toTlsFiles(settings),
    certificateHeader: settings.LINEAGE_CLIENT_CERT_HEADER,
    /** Somebody has thought of what the trusted proxies do with it. */
    isCertificateHeaderStated: given.has('LINEAGE_CLIENT_CERT_HEADER'),
    mtlsOrigin: settings.LINEAGE_MTLS_ORIGIN,
    opsPort: settings.LINEAGE_OPS_PORT,
    migrate: settings.LINEAGE_MIGRATE,
    /** Applied at each start. */
    applyFiles: settings.LINEAGE_APPLY_FILE ?? [],
    shutdownDelaySeconds: settings.LINEAGE_SHUTDOWN_DELAY_SECONDS,
    workers: settings.LINEAGE_WORKERS,
    maxConnections: settings.LINEAGE_MAX_CONNECTIONS,
    eventRetentionDays: settings.LINEAGE_EVENT_RETENTION_DAYS,
    argon2: {
      memoryKib: settings.LINEAGE_ARGON2_MEMORY_KIB,
      time: settings.LINEAGE_ARGON2_TIME,
      parallelism: settings.LINEAGE_ARGON2_PARALLELISM,
    },
    /** Undefined: passwords are hashed without. */
    passwordPeppers: settings.LINEAGE_PASSWORD_PEPPER,
    passwordMinLength: settings.LINEAGE_PASSWORD_MIN_LENGTH,
    passwordMaxLength: settings.LINEAGE_PASSWORD_MAX_LENGTH,
    passwordBlocklist: settings.LINEAGE_PASSWORD_BLOCKLIST === 'on',
    dpopNonce: settings.LINEAGE_DPOP_NONCE,
    throttle: settings.LINEAGE_THROTTLE,
    /** CIDR ranges of sources that are never throttled, or empty. */
    throttleExempt: settings.LINEAGE_THROTTLE_EXEMPT ?? [],
    /** The size of libuv's pool, on whose threads passwords are hashed. */
    threads: settings.UV_THREADPOOL_SIZE,
    /** Undefined sends none, and has none of the routes that would. */
    mail: toMailSettings(settings),
  }
  return common satisfies ClientLimits & KeySettings & PasswordLimits
}
