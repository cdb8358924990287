// The ids of what files may be about, page by page: all rows of a table, or those that an applied file
// has labelled.

import type { Labels } from '../runtime/applied-mark.ts'
import { type Database, guardDatabase } from './database.ts'

/** The condition and the type of the ids of each table. */
const TABLES = {
  clients: { idType: 'text', where: 'true' },
  trusted_issuers: { idType: 'text', where: 'true' },
  webhooks: { idType: 'uuid', where: 'true' },
  users: { idType: 'uuid', where: `status <> 'deleted'` },
} as const

export type AppliedTable = keyof typeof TABLES

const PAGE_SIZE = 500

/**
 * Oldest first, so not of one moment. Without labels all of them. Rejects with DependencyUnavailable.
 */
export async function* listAppliedIds(
  { pool }: Pick<Database, 'pool'>,
  table: AppliedTable,
  labels: Labels | undefined,
): AsyncGenerator<readonly string[]> {
  const { idType, where } = TABLES[table]
  // The first condition is that of the index on users.
  const labelled = labels
    ? `applied <> '{}' AND applied -> 'labels' @> $4::jsonb`
    : '$4::jsonb IS NULL'
  const text = `SELECT id::text AS id, created_at AS "createdAt" FROM ${table}
    WHERE ${where} AND ${labelled}
      AND ($1::timestamptz IS NULL OR (created_at, id) > ($1::timestamptz, $2::${idType}))
    ORDER BY created_at, id LIMIT $3`
  let last: { id: string; createdAt: Date } | undefined
  for (;;) {
    const values = [last?.createdAt, last?.id, PAGE_SIZE, labels && JSON.stringify(labels)]
    const { rows } = await guardDatabase(() =>
      pool.query<{ id: string; createdAt: Date }>(text, values),
    )
    if (rows.length > 0) yield rows.map(({ id }) => id)
    last = rows.at(-1)
    if (rows.length < PAGE_SIZE) return
  }
}
