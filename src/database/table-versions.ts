// How instances learn that a table which they hold in memory has changed: there is one row for each
// table, whose version rises in the transaction of the change, and one cheap poll reads all of
// them.

import { type Database, guardDatabase } from './database.ts'
import { type ClockReading, DATABASE_TIME } from './database-clock.ts'
import type { PlainQuery } from './plain-query.ts'

/** The tables that every instance holds in memory. */
export type VersionedTable = 'clients' | 'signing_keys' | 'trusted_issuers'

/**
 * Raises the version of the table in the transaction of the change. Holds the row until that
 * commits, so that whoever sees a version also sees every change up to it.
 */
export async function bumpTableVersion(query: PlainQuery, name: VersionedTable): Promise<void> {
  await query(
    `INSERT INTO table_versions (name, version) VALUES ($1, 1)
     ON CONFLICT (name) DO UPDATE SET version = table_versions.version + 1`,
    [name],
  )
}

export interface TablePoll {
  /** Resolves when no reload is running any more and none will. */
  stop(): Promise<void>
}

export interface TablePollOptions {
  readonly database: Pick<Database, 'watch'>
  readonly everyMs?: number
  /**
   * Called at the first tick and after each change. If it fails, it is called again at the next
   * tick.
   */
  readonly reload: Readonly<Record<VersionedTable, () => Promise<void>>>
  /** Given the database's time, which each tick reads along. */
  readonly onTime?: (reading: ClockReading) => void
  /** After every tick that went well. */
  readonly onTick?: () => void
  /** Told of the first failing tick; not again before a tick went well. */
  readonly onError: (error: unknown) => void
}

/**
 * Polls, with `everyMs` between the end of one tick and the start of the next. A dead database
 * only means that the copies stay as they are until it is back.
 */
export function startTablePoll(options: TablePollOptions): TablePoll {
  const { database, everyMs = 2_000, reload, onTime, onTick, onError } = options
  const known = new Map<VersionedTable, bigint>()
  let inOutage = false
  let stopped = false
  let timer: NodeJS.Timeout | undefined
  let running = Promise.resolve()

  async function tick(): Promise<void> {
    const { versions, reading } = await readVersions(database)
    onTime?.(reading)
    const errors: unknown[] = []
    for (const name of Object.keys(reload) as VersionedTable[]) {
      // Read before the reload: what changes in between is reloaded once more, never missed.
      const version = versions.get(name) ?? 0n
      if (stopped || known.get(name) === version) continue
      await reload[name]().then(
        () => known.set(name, version),
        (error: unknown) => errors.push(error),
      )
    }
    if (errors.length > 0) throw errors[0]
  }

  async function run(): Promise<void> {
    try {
      await tick()
      inOutage = false
      onTick?.()
    } catch (error) {
      if (!inOutage) onError(error)
      inOutage = true
    }
    if (!stopped) schedule()
  }

  function schedule(): void {
    timer = setTimeout(() => {
      running = run()
    }, everyMs)
    timer.unref()
  }

  schedule()
  return {
    async stop() {
      stopped = true
      clearTimeout(timer)
      await running
    },
  }
}

/** One row at least, so that there is a time also while no table has ever changed. */
const VERSIONS = `SELECT name, version, ${DATABASE_TIME} AS ms
  FROM (SELECT) AS one LEFT JOIN table_versions ON true`

async function readVersions({ watch }: Pick<Database, 'watch'>) {
  return await guardDatabase(async () => {
    const askedAtMs = performance.now()
    const { rows } = await watch.query<{ name: string | null; version: string; ms: string }>(
      VERSIONS,
    )
    const reading = { nowMs: Number(rows[0]?.ms), askedAtMs, answeredAtMs: performance.now() }
    const named = rows.flatMap(({ name, version }) =>
      name === null ? [] : [[name, BigInt(version)] as const],
    )
    return { versions: new Map(named), reading }
  })
}
