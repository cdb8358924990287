// Deletes from PostgreSQL what no answer needs any more; the owner of the store calls it on a timer.

import type pg from 'pg'
import { type Database, guardDatabase } from '../../database/database.ts'
import { TOMBSTONE_SLACK_MS } from '../family.ts'

/** Rows deleted by one statement, so that each stays well within its deadline. */
const BATCH_ROWS = 5_000

/** Families whose tombstones are due, and revoked tokens that have expired. */
export async function deleteExpired(
  database: Pick<Database, 'pool'>,
  nowMs: number,
): Promise<void> {
  await deleteBatches(
    database.pool,
    'families',
    'absolute_expires_at_ms',
    nowMs - TOMBSTONE_SLACK_MS,
  )
  await deleteBatches(database.pool, 'revoked_tokens', 'expires_at_ms', nowMs)
}

async function deleteBatches(
  pool: pg.Pool,
  table: 'families' | 'revoked_tokens',
  column: 'absolute_expires_at_ms' | 'expires_at_ms',
  beforeMs: number,
): Promise<void> {
  let deleted: number
  do {
    const { rowCount } = await guardDatabase(() =>
      pool.query(
        `DELETE FROM ${table} WHERE ctid = ANY (ARRAY
           (SELECT ctid FROM ${table} WHERE ${column} <= $1 LIMIT $2 FOR UPDATE SKIP LOCKED))`,
        [beforeMs, BATCH_ROWS],
      ),
    )
    deleted = rowCount ?? 0
  } while (deleted === BATCH_ROWS)
}
