// Deletes many rows without ever holding many at once: no statement waits for another instance's
// rows, or is long.

import type pg from 'pg'
import { guardDatabase } from './database.ts'

/** Rows of one statement, so that it stays well within its deadline. */
const BATCH_ROWS = 5_000

/**
 * Deletes the rows of `table` for which `condition` holds, with `values` for its `$1` and on;
 * `orderBy` says which come first. Leaves rows that somebody else holds. Rejects with
 * DependencyUnavailable; the batches before that are gone. Table, condition and order are SQL.
 */
export async function deleteInBatches(
  pool: pg.Pool,
  rows: { table: string; condition: string; orderBy?: string },
  values: readonly unknown[],
): Promise<void> {
  const { table, condition, orderBy } = rows
  const order = orderBy === undefined ? '' : `ORDER BY ${orderBy}`
  const sql = `DELETE FROM ${table} WHERE ctid = ANY (ARRAY(
    SELECT ctid FROM ${table} WHERE ${condition} ${order}
    LIMIT ${BATCH_ROWS} FOR UPDATE SKIP LOCKED))`
  for (let deleted = BATCH_ROWS; deleted === BATCH_ROWS; ) {
    const { rowCount } = await guardDatabase(() => pool.query(sql, [...values]))
    deleted = rowCount ?? 0
  }
}
