// The one clock that instances compare times by: PostgreSQL's. Each instance asks for it now and
// then and counts on by its own monotonic clock, so that nobody's wall clock, set or wrong, decides
// about a grace, a session or a key. How long an answer was on its way is never known exactly, so
// there are two times: what happens is dated by the earlier one and what ends others by the later
// one, and nothing that was made before its end is dated after it.

import type { Clock } from '../runtime/clock.ts'
import { type ClockOffset, latestBy, narrowOffset, readOffset } from '../runtime/clock-offset.ts'
import { type Database, guardDatabase } from './database.ts'

export interface DatabaseClock {
  /** Not later than PostgreSQL's time; ours until that was read for the first time. */
  readonly now: Clock
  /** Not earlier than PostgreSQL's time. Above `now` by the shortest round trip of late. */
  readonly latest: Clock
  /** Asks PostgreSQL. Rejects with DependencyUnavailable; what was known stays. */
  read(): Promise<void>
}

export function openDatabaseClock(database: Pick<Database, 'watch'>): DatabaseClock {
  let offset: ClockOffset | undefined
  return {
    now: () => (offset ? Math.floor(performance.now() + offset.lowMs) : Date.now()),
    latest: () => (offset ? Math.ceil(latestBy(offset, performance.now())) : Date.now()),

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
