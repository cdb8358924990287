// The stores as a command uses them: those of the service, without its listeners and without what
// runs by itself. They work while the service is down, and running instances see every change.

import type { Logger } from 'pino'
import type { Client, ClientId } from '../clients/client.ts'
import { loadConfig, type ServiceConfig } from '../config/service-config.ts'
import { type Database, openDatabase } from '../database/database.ts'
import { openDatabaseClock } from '../database/database-clock.ts'
import { checkTables, contactDatabase } from '../database/first-contact.ts'
import { checkMigrations } from '../database/migrations.ts'
import type { KindOfResource } from '../declarative/planned-change.ts'
import { joinEmbeddedMode } from '../embedded/embedded-mode.ts'
import type { EventStore } from '../events/event-store.ts'
import { openPostgresJournal } from '../families/postgres/postgres-journal.ts'
import { openMailOutbox } from '../mail/mail-outbox.ts'
import { type ClientManagement, openClientManagement } from '../management/client-management.ts'
import type { ConfirmationManagement } from '../management/confirmation-management.ts'
import { openTrustManagement, type TrustManagement } from '../management/trust-management.ts'
import { openOutageLog } from '../ops/outage-log.ts'
import { openFailureReport } from '../ops/report-failure.ts'
import type { Act } from '../runtime/act.ts'
import { type Clock, systemClock } from '../runtime/clock.ts'
import type { RecordEvent } from '../runtime/security-event.ts'
import { NO_THROTTLE } from '../throttle/throttle.ts'
import type { TrustedIssuerStore } from '../trust/trusted-issuer-store.ts'
import { openHashingLanes } from '../users/hashing-lanes.ts'
import { openPasswordCosts } from '../users/password-costs.ts'
import { openPasswordHasher, type PasswordHasher } from '../users/password-hasher.ts'
import { type Audit, openAudit } from '../wiring/open-audit.ts'
import { openDeclarations } from '../wiring/open-declarations.ts'
import { type OpenedFamilyStore, openFamilyStore } from '../wiring/open-family-store.ts'
import {
  openConfirmations,
  openUserManagements,
  type UserManagements,
} from '../wiring/open-management.ts'
import { openClients, openTrustedIssuers, openUsers } from '../wiring/open-stores.ts'
import type { CommandContext } from './command-context.ts'
import { createCommandLog } from './command-log.ts'

/** Who acts in the events of a command: no user and no client can have this id. */
export const CLI_ACT: Act = { by: 'lineage:cli' }

export interface CommandDatabase {
  readonly config: ServiceConfig
  readonly database: Database
  readonly clock: Clock
  readonly logger: Logger
}

export interface CommandStores extends CommandDatabase {
  /** For dating the end of all sessions of a client: never behind `clock` of any instance. */
  readonly latest: Clock
  readonly audit: Audit
  readonly events: EventStore
  /** What was recorded is written before the command ends. */
  readonly recordEvent: RecordEvent
  readonly clients: ClientManagement
  readonly trust: TrustManagement
  readonly trustedIssuerStore: TrustedIssuerStore
}

export interface CommandUsers extends CommandStores, UserManagements {
  /** Undefined where no mail is sent. */
  readonly confirmations: ConfirmationManagement | undefined
  /** What files that are applied may be about. */
  readonly kinds: readonly KindOfResource[]
  /** To be called before sessions are read or ended: waits for Redis for a bounded time. */
  settle(): Promise<void>
}

/**
 * Runs `work` on the database of the environment: the configured one, or that of embedded mode,
 * which is started where no service runs it. Throws StartError, as `loadConfig` does.
 */
export async function withDatabase<T>(
  { env, stderr }: Pick<CommandContext, 'env' | 'stderr'>,
  work: (opened: CommandDatabase) => Promise<T>,
): Promise<T> {
  const given = loadConfig(env)
  const { config, stop } =
    given.mode === 'embedded'
      ? await joinEmbeddedMode(given)
      : { config: given, stop: async () => {} }
  const database = openDatabase(config.databaseUrl)
  try {
    return await work({ config, database, clock: systemClock, logger: createCommandLog(stderr) })
  } finally {
    await database.close()
    await stop()
  }
}

/** Says on stderr at once what the command is waiting for. */
export function waitNotice({ stderr }: Pick<CommandContext, 'stderr'>): (text: string) => void {
  return (sentence) => void stderr.write(`lineage: this command ${sentence}\n`)
}

/** Throws StartError when migrations are pending: only `lineage migrate` applies them. */
export async function withStores<T>(
  context: CommandContext,
  work: (stores: CommandStores) => Promise<T>,
): Promise<T> {
  return await withDatabase(context, async (opened) => {
    const { config, database } = opened
    await contactDatabase(database.pool)
    const onWait = waitNotice(context)
    if (config.migrate !== 'off') await checkMigrations(database.pool, { onWait })
    await checkTables(database.pool)
    // Times that a command writes are compared with those of instances, so it uses their clock.
    const { now: clock, latest, read } = openDatabaseClock(database)
    await read()
    const stores = { ...opened, clock, latest }
    const audit = openAudit({
      ...stores,
      report: openFailureReport(stores.logger, openOutageLog(stores.logger)),
    })
    try {
      const { events, recordEvent } = audit
      const clients = openClientManagement({
        clientStore: openClients(database, config, latest),
        // No table is held here; instances see the change by its version.
        refreshClient: async () => {},
        recordEvent,
      })
      const trustedIssuerStore = openTrustedIssuers(database, config, clock)
      const trust = openTrustManagement({
        trustedIssuerStore,
        reloadTrustedIssuers: async () => {},
        recordEvent,
      })
      return await work({
        ...stores,
        audit,
        events,
        recordEvent,
        clients,
        trust,
        trustedIssuerStore,
      })
    } finally {
      await audit.close()
    }
  })
}

/** Also opens users and their sessions, in Redis or in PostgreSQL. */
export async function withUsers<T>(
  context: CommandContext,
  work: (stores: CommandUsers) => Promise<T>,
): Promise<T> {
  return await withStores(context, async (stores) => {
    const outages = openOutageLog(stores.logger)
    let isAsked = false
    const opened = openFamilyStore({
      ...stores,
      // A command that ends before it asks Redis does not report whether Redis is there.
      outages: {
        ...outages,
        failed: (dependency, fields) => isAsked && outages.failed(dependency, fields),
      },
      journal: openPostgresJournal(stores.database),
    })
    try {
      const settle = () => {
        isAsked = true
        return opened.settle()
      }
      const users = openCommandUsers(stores, opened)
      const kinds = openDeclarations({
        ...{ ...stores, ...users, opened },
        refreshClient: async () => {},
        reloadTrustedIssuers: async () => {},
      })
      return await work({ ...stores, ...users, kinds, settle })
    } finally {
      await opened.store.close()
    }
  })
}

function openCommandUsers(
  stores: CommandStores,
  opened: OpenedFamilyStore,
): UserManagements & Pick<CommandUsers, 'confirmations'> & { readonly hasher: PasswordHasher } {
  const { config, database, latest, clock } = stores
  const lanes = openHashingLanes({ lanes: 1, queueMax: 0, waitMaxMs: 0 })
  const { argon2: parameters, passwordPeppers: peppers } = config
  const passwordCosts = openPasswordCosts(parameters)
  const hasher = openPasswordHasher({ parameters, lanes, costs: passwordCosts, peppers })
  const parts = { ...stores, ...openUsers(stores, opened), hasher, passwordCosts }
  const throttle = NO_THROTTLE
  let loading: Promise<readonly Client[]> | undefined
  const findClient = async (id: ClientId) => {
    loading ??= openClients(database, config, latest).loadAll()
    return (await loading).find((client) => client.id === id)
  }
  const outbox = openMailOutbox(database.pool, clock)
  return {
    hasher,
    ...openUserManagements({ ...parts, throttle, findClient }),
    confirmations: openConfirmations({ ...parts, throttle, outbox }),
  }
}
