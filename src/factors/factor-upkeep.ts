// What the tables of factors need without anybody asking: secrets brought under the first root secret at
// the start, and the deletion of what has expired.

import type pg from 'pg'
import { guardDatabase } from '../database/database.ts'
import { deleteInBatches } from '../database/delete-in-batches.ts'
import { eachPage } from '../database/keyset-page.ts'
import type { RootSecrets } from '../secrets/root-secret.ts'
import type { UserId } from '../users/user.ts'
import { type FactorId, PENDING_MS } from './factor.ts'
import { sealFactorSecret, unsealFactorSecret } from './factor-secret.ts'

/** Rows of one statement, so that it stays well within its deadline. */
const BATCH_ROWS = 500

interface SecretRow {
  readonly id: FactorId
  readonly userId: UserId
  readonly secretEncrypted: Buffer
  readonly rootSecretId: number
}

/**
 * Brings all secrets under the first root secret, so that the others can be taken out. May run on
 * several instances at once, and be repeated. Rejects with DependencyUnavailable.
 */
export async function reencryptFactors(pool: pg.Pool, rootSecrets: RootSecrets): Promise<void> {
  const others = rootSecrets.all.filter(({ id }) => id !== rootSecrets.current.id)
  for (const { id: rootSecretId } of others) {
    const pages = eachPage(BATCH_ROWS, undefined, (last?: SecretRow) =>
      readBatch(pool, rootSecretId, last?.id),
    )
    for await (const rows of pages) await sealAnew(pool, rows, rootSecrets)
  }
}

async function readBatch(
  pool: pg.Pool,
  rootSecretId: number,
  after: FactorId | undefined,
): Promise<SecretRow[]> {
  const { rows } = await guardDatabase(() =>
    pool.query<SecretRow>(
      `SELECT id, user_id AS "userId", secret_encrypted AS "secretEncrypted",
         root_secret_id AS "rootSecretId"
       FROM factors WHERE root_secret_id = $1 AND ($2::uuid IS NULL OR id > $2)
       ORDER BY id LIMIT ${BATCH_ROWS}`,
      [rootSecretId, after ?? null],
    ),
  )
  return rows
}

async function sealAnew(
  pool: pg.Pool,
  rows: readonly SecretRow[],
  rootSecrets: RootSecrets,
): Promise<void> {
  const sealed = rows.flatMap((row) => {
    const secret = unsealFactorSecret(row, row, rootSecrets)
    return secret ? [{ id: row.id, ...sealFactorSecret(secret, row, rootSecrets) }] : []
  })
  // A factor's secret never changes, so whichever instance writes last writes the same.
  await guardDatabase(() =>
    pool.query(
      `UPDATE factors SET secret_encrypted = sealed.secret, root_secret_id = $3
       FROM unnest($1::uuid[], $2::bytea[]) AS sealed (id, secret)
       WHERE factors.id = sealed.id`,
      [
        sealed.map(({ id }) => id),
        sealed.map(({ secretEncrypted }) => Buffer.from(secretEncrypted)),
        rootSecrets.current.id,
      ],
    ),
  )
}

/** Deletes pending factors that nobody activated, and the tokens of logins that are over. */
export async function deleteExpiredFactors(pool: pg.Pool, nowMs: number): Promise<void> {
  const pending = { table: 'factors', condition: `status = 'pending' AND created_at <= $1` }
  await deleteInBatches(pool, pending, [new Date(nowMs - PENDING_MS)])
  const tokens = { table: 'mfa_tokens', condition: 'expires_at <= $1' }
  await deleteInBatches(pool, tokens, [new Date(nowMs)])
}
