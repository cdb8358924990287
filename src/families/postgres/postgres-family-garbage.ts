// Deletes from PostgreSQL what no answer needs any more; the owner of the store calls it on a timer.

import type { Database } from '../../database/database.ts'
import { deleteInBatches } from '../../database/delete-in-batches.ts'
import { TOMBSTONE_SLACK_MS } from '../family.ts'

const FAMILIES = { table: 'families', condition: 'absolute_expires_at_ms <= $1' }
const REVOKED_TOKENS = { table: 'revoked_tokens', condition: 'expires_at_ms <= $1' }

/** Families whose tombstones are due, and revoked tokens that have expired. */
export async function deleteExpired(
  { pool }: Pick<Database, 'pool'>,
  nowMs: number,
): Promise<void> {
  await deleteInBatches(pool, FAMILIES, [nowMs - TOMBSTONE_SLACK_MS])
  await deleteInBatches(pool, REVOKED_TOKENS, [nowMs])
}
