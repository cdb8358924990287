// Every long-lived object of the service, opened once in this order and closed in reverse.

import { setTimeout as delay } from 'node:timers/promises'
import type { Logger } from 'pino'
import { bootstrapClient } from '../clients/bootstrap-client.ts'
import type { ClientStore } from '../clients/client-store.ts'
import { type ClientTable, openClientTable } from '../clients/client-table.ts'
import type { ServiceConfig } from '../config/service-config.ts'
import { type Database, openDatabase } from '../database/database.ts'
import { type DatabaseClock, openDatabaseClock } from '../database/database-clock.ts'
import { checkTables, contactDatabase, describeLack } from '../database/first-contact.ts'
import { applyMigrations, checkMigrations } from '../database/migrations.ts'
import type { Families } from '../families/families.ts'
import { openPostgresJournal } from '../families/postgres/postgres-journal.ts'
import type { ClientCredentialsGrant } from '../grants/client-credentials.ts'
import type { PasswordGrant } from '../grants/password.ts'
import type { RefreshTokenGrant } from '../grants/refresh-token.ts'
import { type KeyRing, openKeyRing } from '../keys/key-ring.ts'
import { createHealth, type Health } from '../ops/health.ts'
import { logEvent } from '../ops/log-events.ts'
import { type OutageLog, openOutageLog } from '../ops/outage-log.ts'
import { openFailureReport, type ReportFailure } from '../ops/report-failure.ts'
import type { Clock } from '../runtime/clock.ts'
import { DependencyUnavailable } from '../runtime/dependency-unavailable.ts'
import { StartError } from '../runtime/start-error.ts'
import type { RootSecrets } from '../secrets/root-secret.ts'
import { openTokenChecker, type TokenChecker } from '../tokens/check-access-token.ts'
import { openTokenMint, type TokenMint } from '../tokens/token-mint.ts'
import { authenticateUser } from '../users/authenticate-user.ts'
import { defaultHashingLanes, openHashingLanes } from '../users/hashing-lanes.ts'
import { openPasswordCosts, type PasswordCosts } from '../users/password-costs.ts'
import { openPasswordHasher, type PasswordHasher } from '../users/password-hasher.ts'
import { loadStoredPasswordCosts } from '../users/stored-password-costs.ts'
import type { UserStore } from '../users/user-store.ts'
import { startHousekeeping } from './housekeeping.ts'
import { type Audit, openAudit } from './open-audit.ts'
import { type OpenedFamilyStore, openFamilyStore } from './open-family-store.ts'
import { openClients, openUsers } from './open-stores.ts'

/** Everything that routes are handed; each takes what it names. */
export interface Service extends Omit<Audit, 'close'> {
  readonly config: ServiceConfig
  /** The path of the issuer, empty when it has none. */
  readonly basePath: string
  readonly clock: Clock
  readonly rootSecrets: RootSecrets
  readonly health: Health
  readonly clientStore: ClientStore
  readonly clients: ClientTable
  readonly users: UserStore
  readonly hasher: PasswordHasher
  readonly passwordCosts: PasswordCosts
  readonly families: Families
  readonly keys: KeyRing
  readonly tokens: TokenMint
  readonly checker: TokenChecker
  readonly grants: PasswordGrant & RefreshTokenGrant & ClientCredentialsGrant
  /** Ends what runs in the background, writes the events, then closes store and database. */
  close(): Promise<void>
}

export interface ServiceOptions {
  readonly config: ServiceConfig
  readonly logger: Logger
  /** Instead of PostgreSQL's, which all instances share. */
  readonly clock?: Clock
}

/** How long a start waits for a database that is not there yet: they often start together. */
const START_PATIENCE_MS = 30_000
const START_RETRY_MS = 500

/** Opens the service; throws StartError with one line when it cannot start. */
export async function openService(options: ServiceOptions): Promise<Service> {
  const { config, logger } = options
  const outages = openOutageLog(logger)
  const report = openFailureReport(logger, outages)
  const database = openDatabase(config.databaseUrl)
  const databaseClock = openDatabaseClock(database)
  const { clock = databaseClock.now, clock: latest = databaseClock.latest } = options
  const audit = openAudit({ config, database, logger, report, clock })
  let opened: OpenedFamilyStore | undefined
  try {
    return await withPatience(outages, async () => {
      await contactDatabase(database.pool)
      await migrate(database, config, logger)
      await checkTables(database.pool)
      await database.warmUp()
      await databaseClock.read()
      // Not before there is a journal: it is re-applied to every Redis that is connected to.
      const journal = openPostgresJournal(database)
      opened ??= openFamilyStore({ config, outages, clock, database, journal })
      return await openOn(database, opened, audit, {
        ...options,
        outages,
        report,
        clock,
        latest,
        databaseClock,
      })
    })
  } catch (error) {
    await audit.close()
    await opened?.store.close()
    await database.close()
    throw error
  }
}

async function withPatience<T>(outages: OutageLog, open: () => Promise<T>): Promise<T> {
  const deadlineMs = performance.now() + START_PATIENCE_MS
  for (;;) {
    try {
      return await open()
    } catch (cause) {
      if (!(cause instanceof DependencyUnavailable)) throw describeLack(cause) ?? cause
      if (performance.now() > deadlineMs) {
        throw new StartError(`${cause.message}; \`lineage doctor\` says what to do`, { cause })
      }
      outages.failed(cause.dependency, { err: cause })
      await delay(START_RETRY_MS)
    }
  }
}

async function migrate(database: Database, config: ServiceConfig, logger: Logger): Promise<void> {
  if (config.migrate === 'off') return
  const onWait = (sentence: string) =>
    logEvent(logger, 'dependency.warning', {
      dependency: 'postgresql',
      detail: `the start ${sentence}`,
    })
  if (config.migrate === 'check') return await checkMigrations(database.pool, { onWait })
  const applied = await applyMigrations(database.pool, { onWait })
  if (applied.length > 0) logEvent(logger, 'database.migrated', { applied })
}

interface OpenOptions extends ServiceOptions {
  readonly outages: OutageLog
  readonly report: ReportFailure
  readonly clock: Clock
  readonly latest: Clock
  readonly databaseClock: DatabaseClock
}

async function openOn(
  database: Database,
  opened: OpenedFamilyStore,
  audit: Audit,
  options: OpenOptions,
): Promise<Service> {
  const { config, outages, report, clock, latest, databaseClock } = options
  const { rootSecrets, issuer } = config
  const { recordEvent } = audit
  await audit.webhooks.reencrypt()
  const keys = await openKeyRing({
    database,
    config,
    clock,
    recordKeyEvent: (type, kid, act) =>
      recordEvent({ type, ...act, detail: { ...act?.detail, kid } }),
  })
  const tokens = openTokenMint({ keys, issuer, clock })
  const clientStore = openClients(database, config, latest)
  const clients = await loadClientTable(clientStore, config, clock)
  const { users, families } = openUsers(database, opened, clock)
  const passwordCosts = openPasswordCosts(config.argon2, () => loadStoredPasswordCosts(database))
  await passwordCosts.reload()
  const lanes = openHashingLanes(defaultHashingLanes(config.threads))
  const hasher = openPasswordHasher(config.argon2, lanes, passwordCosts)
  const checker = openTokenChecker({ tokens, clients, families, clock })
  const health = openHealth(database, opened, outages)
  await opened.settle()
  const refusal = opened.refusal()
  if (refusal) throw refusal
  const parts = {
    database,
    databaseClock,
    opened,
    audit,
    keys,
    clients,
    passwordCosts,
    outages,
    report,
    clock,
  }
  const housekeeping = startHousekeeping({
    ...parts,
    eventRetentionDays: config.eventRetentionDays,
    longestFamilySeconds: Math.max(config.refreshAbsoluteTtlSeconds, config.accessTokenTtlSeconds),
  })
  return {
    config,
    basePath: new URL(issuer).pathname.replace(/\/$/, ''),
    clock,
    rootSecrets,
    ...audit,
    health,
    clientStore,
    clients,
    users,
    hasher,
    passwordCosts,
    families,
    keys,
    tokens,
    checker,
    grants: {
      login: async (credentials) => {
        const login = { users, hasher, passwordLimits: config }
        return (await authenticateUser(credentials, login)).record
      },
      families,
      tokens,
      rootSecrets,
      issuer,
      defaultAudience: config.defaultAudience ?? issuer,
      clock,
      recordEvent,
    },
    async close() {
      await housekeeping.stop()
      await audit.close()
      await opened.store.close()
      await database.close()
    },
  }
}

function openHealth(database: Database, opened: OpenedFamilyStore, outages: OutageLog): Health {
  return createHealth({
    checks: {
      postgresql: database.ping,
      ...(opened.store.name === 'redis' ? { redis: opened.store.ping } : {}),
    },
    warnings: () => [...opened.warnings(), ...database.warnings()],
    onChange: (dependency, state) =>
      state === 'ok' ? outages.succeeded(dependency) : outages.failed(dependency),
  })
}

async function loadClientTable(
  store: ClientStore,
  config: ServiceConfig,
  clock: Clock,
): Promise<ClientTable> {
  const bootstrap = config.adminClient && bootstrapClient(config.adminClient, config.issuer, config)
  const clients = openClientTable({ store, bootstrap, clock })
  await clients.reload()
  return clients
}
