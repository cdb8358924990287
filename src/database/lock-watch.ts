// Which lock a session is waiting for, and who holds it. Asked over another connection, because the
// waiting one answers nothing.

import { setTimeout as delay } from 'node:timers/promises'
import type pg from 'pg'
import { describeHolder, type LockHolder, TELL_AFTER_MS } from './lock-holders.ts'

const LOOK_AGAIN_MS = 1_000

export interface LockWatch {
  /** What it waited for when last looked at; undefined when it did not wait, or looking failed. */
  waitsFor(): string | undefined
  stop(): void
}

interface Wait extends LockHolder {
  readonly locktype: string
  readonly lock_table: string | null
}

/**
 * Watches the session `pid` until it is stopped. `onWait` is told of every lock and holder once, in
 * one sentence. A look that fails reports nothing: the waiting session will meet the same failure.
 */
export function watchLocks(
  pool: Pick<pg.Pool, 'query'>,
  pid: number,
  onWait: (sentence: string) => void,
): LockWatch {
  const ending = new AbortController()
  let seen: string | undefined
  let told: string | undefined

  async function watch(): Promise<void> {
    await delay(TELL_AFTER_MS, undefined, { ref: false, signal: ending.signal })
    for (;;) {
      const found = await look(pool, pid).catch(() => undefined)
      if (ending.signal.aborted) return
      seen = found
      if (found !== undefined && found !== told) onWait(found)
      told = found ?? told
      await delay(LOOK_AGAIN_MS, undefined, { ref: false, signal: ending.signal })
    }
  }

  // Rejects only when `stop` aborts it.
  watch().catch(() => {})
  return { waitsFor: () => seen, stop: () => ending.abort() }
}

async function look(pool: Pick<pg.Pool, 'query'>, pid: number): Promise<string | undefined> {
  const { rows } = await pool.query<Wait>(SELECT_WAIT, [pid])
  const [wait] = rows
  if (!wait) return undefined
  return `waits for ${describeLock(wait)}, which ${rows.map(describeHolder).join(' and ')}`
}

function describeLock({ locktype, lock_table }: Wait): string {
  // Migrating asks for no other advisory lock.
  if (locktype === 'advisory') return 'the migration lock'
  return lock_table === null ? `a lock (${locktype})` : `a lock on the table ${lock_table}`
}

/** Three holders at most: an exclusive lock may have to wait for every reader of a table. */
const SELECT_WAIT = `SELECT wait.locktype, wait.relation::regclass::text AS lock_table,
    holder.pid, activity.application_name, activity.state
  FROM pg_locks AS wait
  CROSS JOIN LATERAL (SELECT DISTINCT unnest(pg_blocking_pids(wait.pid)) AS pid) AS holder
  LEFT JOIN pg_stat_activity AS activity ON activity.pid = holder.pid
  WHERE wait.pid = $1 AND NOT wait.granted
  ORDER BY activity.state_change NULLS LAST, holder.pid LIMIT 3`
