// Counters in PostgreSQL, where families live there too: one statement a call.

import { type Database, guardDatabase } from '../database/database.ts'
import { deleteInBatches } from '../database/delete-in-batches.ts'
import { COUNTERS_DEADLINE_MS, type Counter, type Counters, type Tally } from './counters.ts'

interface Row {
  readonly key: string
  readonly count: number
  readonly left_ms: string
}

const READ = `
  SELECT key, count, ends_at_ms - $2 AS left_ms FROM throttle_counters
  WHERE key = ANY ($1::text[]) AND ends_at_ms > $2`

// By the order of their keys, so that two calls never hold what the other waits for.
const ADD = `
  INSERT INTO throttle_counters AS held (key, count, ends_at_ms)
  SELECT key, 1, $2 + window_ms FROM unnest($1::text[], $3::bigint[]) AS asked (key, window_ms)
  ORDER BY key
  ON CONFLICT (key) DO UPDATE SET
    count = CASE WHEN held.ends_at_ms <= $2 THEN 1 ELSE held.count + 1 END,
    ends_at_ms = CASE WHEN held.ends_at_ms <= $2 THEN excluded.ends_at_ms ELSE held.ends_at_ms END
  RETURNING key, count, ends_at_ms - $2 AS left_ms`

const MARK = `
  INSERT INTO throttle_counters (key, count, ends_at_ms)
  SELECT key, 1, $2 + window_ms FROM unnest($1::text[], $3::bigint[]) AS asked (key, window_ms)
  ORDER BY key
  ON CONFLICT (key) DO UPDATE SET count = 1, ends_at_ms = excluded.ends_at_ms`

export function openPostgresCounters({ pool }: Pick<Database, 'pool'>): Counters {
  const keysOf = (counters: readonly Counter[]) =>
    counters.map(({ group, name }) => `${group}:${name}`)
  const windowsOf = (counters: readonly Counter[]) => counters.map(({ windowMs }) => windowMs)

  async function query(counters: readonly Counter[], sql: string, values: unknown[]) {
    const keys = keysOf(counters)
    // The bound also takes it out of the queue for a connection, which others need then.
    const asking = () => pool.query<Row>(sql, [keys, ...values])
    const { rows } = await guardDatabase(asking, COUNTERS_DEADLINE_MS)
    const found = new Map(rows.map((row) => [row.key, row]))
    return keys.map((key) => tallyOf(found.get(key)))
  }

  return {
    read: (counters, nowMs) => query(counters, READ, [nowMs]),
    add: (counters, nowMs) => query(counters, ADD, [nowMs, windowsOf(counters)]),
    async mark(counters, nowMs) {
      await query(counters, MARK, [nowMs, windowsOf(counters)])
    },
  }
}

const EXPIRED = { table: 'throttle_counters', condition: 'ends_at_ms <= $1' }

/** Deletes counters that have ended; Redis does so by itself. Rejects with DependencyUnavailable. */
export async function deleteEndedCounters(
  { pool }: Pick<Database, 'pool'>,
  nowMs: number,
): Promise<void> {
  await deleteInBatches(pool, EXPIRED, [nowMs])
}

function tallyOf(row: Row | undefined): Tally {
  return row ? { count: row.count, leftMs: Number(row.left_ms) } : { count: 0, leftMs: 0 }
}
