// The stores as a command uses them: those of the service, without its listeners and without what
// runs by itself. They work while the service is down, and running instances see every change.

import type { Logger } from 'pino'
import { loadConfig, type ServiceConfig } from '../config/service-config.ts'
import { type Database, openDatabase } from '../database/database.ts'
import { openDatabaseClock } from '../database/database-clock.ts'
import { checkTables, contactDatabase } from '../database/first-contact.ts'
import { checkMigrations } from '../database/migrations.ts'
import { joinEmbeddedMode } from '../embedded/embedded-mode.ts'
import type { EventStore } from '../events/event-store.ts'
import type { Families } from '../families/families.ts'
import { openPostgresJournal } from '../families/postgres/postgres-journal.ts'
import { openOutageLog } from '../ops/outage-log.ts'
import { openFailureReport } from '../ops/report-failure.ts'
import { type Clock, systemClock } from '../runtime/clock.ts'
import { DependencyUnavailable } from '../runtime/dependency-unavailable.ts'
import type { RecordEvent } from '../runtime/security-event.ts'
import type { UserStore } from '../users/user-store.ts'
import { openAudit } from '../wiring/open-audit.ts'
import { openFamilyStore } from '../wiring/open-family-store.ts'
import { openUsers } from '../wiring/open-stores.ts'
import type { CommandContext } from './command-context.ts'
import { CommandFailure } from './command-failure.ts'
import { createCommandLog } from './command-log.ts'

/** Who acts, in the events of a command (`detail.by`): no user and no client can have this id. */
const ACTOR = 'lineage:cli'

export interface CommandDatabase {
  readonly config: ServiceConfig
  readonly database: Database
  readonly clock: Clock
  readonly logger: Logger
}

export interface CommandStores extends CommandDatabase {
  /** For dating the end of all sessions of a client: never behind `clock` of any instance. */
  readonly latest: Clock
  readonly events: EventStore
  /** Records an event as done by the command line; it is written before the command ends. */
  readonly recordEvent: RecordEvent
  /** Records an event that the command noticed but did not cause. */
  readonly recordUnasked: RecordEvent
}

export interface CommandUsers extends CommandStores {
  readonly users: UserStore
  readonly families: Families
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
  const embedded = given.mode === 'embedded' ? await joinEmbeddedMode(given) : undefined
  const config = embedded?.config ?? (given.mode === 'server' ? given : undefined)
  if (!config) throw new Error('a mode without a configuration')
  const database = openDatabase(config.databaseUrl)
  try {
    return await work({ config, database, clock: systemClock, logger: createCommandLog(stderr) })
  } finally {
    await database.close()
    await embedded?.stop()
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
    await database.warmUp()
    // Times that a command writes are compared with those of instances, so it uses their clock.
    const { now: clock, latest, read } = openDatabaseClock(database)
    await read()
    const stores = { ...opened, clock, latest }
    const audit = openAudit({
      ...stores,
      report: openFailureReport(stores.logger, openOutageLog(stores.logger)),
    })
    try {
      return await work({
        ...stores,
        events: audit.events,
        recordEvent: (event) =>
          audit.recordEvent({ ...event, detail: { ...event.detail, by: ACTOR } }),
        recordUnasked: audit.recordEvent,
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
      const { users, families } = openUsers(stores.database, opened, stores.clock)
      const settle = () => {
        isAsked = true
        return opened.settle()
      }
      return await work({ ...stores, users, families, settle })
    } finally {
      await opened.store.close()
    }
  })
}

/**
 * Runs a change of a user, which calls back once it is committed. Throws CommandFailure when the
 * family store could not be told of it, which says that the change stands.
 */
export async function changeUser<T>(
  change: (onChanged: () => void) => Promise<T>,
  onChanged: () => void,
): Promise<T> {
  let isCommitted = false
  try {
    return await change(() => {
      isCommitted = true
      onChanged()
    })
  } catch (error) {
    if (!isCommitted || !(error instanceof DependencyUnavailable)) throw error
    throw new CommandFailure(
      `the change is made, but ${error.message}: an instance carries it there when it is back; ` +
        'repeat the command to be sure',
    )
  }
}
