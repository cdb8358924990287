// Who holds a lock: in words for whoever waits for it, in the log and on the terminal.

import type pg from 'pg'
import type { LockMode } from './statement-locks.ts'
import type { TableLock } from './table-locks.ts'

/** Shorter waits are not reported: instances that start together wait for each other. */
export const TELL_AFTER_MS = 2_000

export interface LockHolder {
  /** Zero of a prepared transaction, which no session has. */
  readonly pid: number
  readonly application_name: string | null
  readonly state: string | null
}

/** Without the right to see other roles' sessions, only the pid is known. */
export function describeHolder({ pid, application_name, state }: LockHolder): string {
  if (pid === 0) return 'a prepared transaction holds'
  const name = application_name ? ` (${application_name})` : ''
  return `pid ${pid}${name} holds${state ? `, ${state}` : ''}`
}

/** What others may hold of a table beside each mode, as pg_locks names it. */
const HARMLESS: Readonly<Record<LockMode, readonly string[]>> = {
  'ROW EXCLUSIVE': [
    'AccessShareLock',
    'RowShareLock',
    'RowExclusiveLock',
    'ShareUpdateExclusiveLock',
  ],
  SHARE: ['AccessShareLock', 'RowShareLock', 'ShareLock'],
  'SHARE ROW EXCLUSIVE': ['AccessShareLock', 'RowShareLock'],
  'ACCESS EXCLUSIVE': [],
}

const SELECT_HOLDERS = `SELECT COALESCE(held.pid, 0) AS pid, application_name, state
  FROM pg_locks AS held LEFT JOIN pg_stat_activity AS activity ON activity.pid = held.pid
  WHERE locktype = 'relation' AND granted AND relation = to_regclass($1)
    AND database = (SELECT oid FROM pg_database WHERE datname = current_database())
    AND mode <> ALL ($2::text[])
  GROUP BY held.pid, application_name, state, state_change
  ORDER BY state_change NULLS LAST, held.pid LIMIT 3`

/** Who is in the way of it now, in one sentence without its subject. Never rejects. */
export async function describeTableWait(
  pool: Pick<pg.Pool, 'query'>,
  lock: TableLock | undefined,
): Promise<string> {
  if (lock === undefined) return 'waits for a lock, which others hold'
  const { table, mode } = lock
  const { rows } = await pool
    .query<LockHolder>(SELECT_HOLDERS, [table, HARMLESS[mode]])
    .catch(() => ({ rows: [] }))
  const holders = rows.map(describeHolder).join(' and ') || 'others take again and again'
  return `waits for a lock on the table ${table}, which ${holders}`
}
