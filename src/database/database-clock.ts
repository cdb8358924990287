// The one clock that instances compare times by: PostgreSQL's. Each instance asks for it now and
// then and counts on by its own monotonic clock, so that nobody's wall clock, set or wrong, decides
// about a grace, a session or a key.

import type { Clock } from '../runtime/clock.ts'
import { type ClockOffset, narrowOffset, readOffset } from '../runtime/clock-offset.ts'
import { type Database, guardDatabase } from './database.ts'

export interface DatabaseClock {
  /** PostgreSQL's time as far as it is known; ours until it was read for the first time. */
  readonly now: Clock
  /** Asks PostgreSQL. Rejects with DependencyUnavailable; what was known stays. */
  read(): Promise<void>
}

export function openDatabaseClock(database: Pick<Database, 'watch'>): DatabaseClock {
  let offset: ClockOffset | undefined
  return {
    now() {
      if (!offset) return Date.now()
      return Math.floor(performance.now() + (offset.lowMs + offset.highMs) / 2)
    },

    async read() {
      const askedAtMs = performance.now()
      const nowMs = await readDatabaseTime(database)
      offset = narrowOffset(offset, readOffset(nowMs, askedAtMs, performance.now()))
    },
  }
}

/** Asked where nobody queues: waiting would be taken for the way. In whole milliseconds since the epoch. */
export async function readDatabaseTime({ watch }: Pick<Database, 'watch'>): Promise<number> {
  const { rows } = await guardDatabase(() =>
    watch.query<{ ms: string }>(
      'SELECT floor(extract(epoch FROM clock_timestamp()) * 1000)::bigint AS ms',
    ),
  )
  return Number(rows[0]?.ms)
}
