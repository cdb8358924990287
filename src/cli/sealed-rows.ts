// Which rows of the database are encrypted under which root secret, told by its one-byte id: what has to
// be encrypted anew before a root secret may be taken out.

import { type Database, guardDatabase } from '../database/database.ts'

/** The tables whose rows name the root secret that seals them, and what one row is called. */
const SEALED = {
  signing_keys: 'signing keys',
  webhooks: 'webhook secrets',
  factors: 'authenticators',
}

export interface SealedRows {
  /** What the rows are, for people. */
  readonly what: string
  readonly rootSecretId: number
  readonly count: number
}

/** The ids that any row names, lowest first. Rejects with DependencyUnavailable. */
export async function listUsedRootSecrets({ pool }: Pick<Database, 'pool'>): Promise<number[]> {
  // An id is one byte: 256 looks into an index are less than a table of a million factors.
  const isUsed = Object.keys(SEALED).map(
    (table) => `EXISTS (SELECT FROM ${table} WHERE root_secret_id = secret.n)`,
  )
  const { rows } = await guardDatabase(() =>
    pool.query<{ id: number }>(
      `SELECT n AS id FROM generate_series(0, 255) AS secret(n) WHERE ${isUsed.join(' OR ')} ORDER BY n`,
    ),
  )
  return rows.map(({ id }) => id)
}

/** How many rows of each kind are under each root secret. Rejects with DependencyUnavailable. */
export async function countSealedRows({ pool }: Pick<Database, 'pool'>): Promise<SealedRows[]> {
  const counts = Object.entries(SEALED).map(
    ([table, what]) =>
      `SELECT '${what}' AS what, root_secret_id AS "rootSecretId", count(*)::int AS count
       FROM ${table} GROUP BY root_secret_id`,
  )
  const { rows } = await guardDatabase(() =>
    pool.query<SealedRows>(`${counts.join(' UNION ALL ')} ORDER BY 1, 2`),
  )
  return rows
}
