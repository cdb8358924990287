// The one clock by which instances compare times: PostgreSQL's (docs/semantics.md §20). Each
// instance reads it now and then and counts on by its own monotonic clock, so a wrong wall clock
// decides nothing. How long an answer took to arrive is never known exactly, so there is an earlier
// and a later bound: events are dated by the earlier one, and the end of all sessions of a client
// by the later one, so that nothing made before such an end is dated after it.

import type { Clock } from '../runtime/clock.ts'
import { type ClockOffset, latestBy, narrowOffset, readOffset } from '../runtime/clock-offset.ts'
import { type Database, guardDatabase } from './database.ts'

export interface DatabaseClock {
  /** Not later than PostgreSQL's time; this machine's time until that was read. */
  readonly now: Clock
  /** Not earlier than PostgreSQL's time; above `now` by about one round trip. */
  readonly latest: Clock
  /** Asks PostgreSQL. Rejects with DependencyUnavailable; what was known stays. */
  read(): Promise<void>
  /** Takes over what a query of somebody else has read. */
  take(reading: ClockReading): void
}

/** What PostgreSQL's clock said, in whole milliseconds, between two moments of `performance.now()`. */
export interface ClockReading {
  readonly nowMs: number
  readonly askedAtMs: number
  readonly answeredAtMs: number
}

/** Its time, rounded down, as a column of a query. */
export const DATABASE_TIME = 'floor(extract(epoch FROM clock_timestamp()) * 1000)::bigint'

export function openDatabaseClock(database: Pick<Database, 'watch'>): DatabaseClock {
  let offset: ClockOffset | undefined

  function take({ nowMs, askedAtMs, answeredAtMs }: ClockReading): void {
    offset = narrowOffset(offset, readOffset(nowMs, askedAtMs, answeredAtMs))
  }

  return {
    now: () => (offset ? Math.floor(performance.now() + offset.lowMs) : Date.now()),
    latest: () => (offset ? Math.ceil(latestBy(offset, performance.now())) : Date.now()),

    async read() {
      const askedAtMs = performance.now()
      const nowMs = await readDatabaseTime(database)
      take({ nowMs, askedAtMs, answeredAtMs: performance.now() })
    },

    take,
  }
}

/** In whole milliseconds since the epoch. By `watch`, because time in a queue would falsify it. */
export async function readDatabaseTime({ watch }: Pick<Database, 'watch'>): Promise<number> {
  const { rows } = await guardDatabase(() =>
    watch.query<{ ms: string }>(`SELECT ${DATABASE_TIME} AS ms`),
  )
  return Number(rows[0]?.ms)
}
