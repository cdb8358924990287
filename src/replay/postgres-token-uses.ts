// Uses of tokens in PostgreSQL, where families live there too: one statement each.

import { type Database, guardDatabase } from '../database/database.ts'
import { deleteInBatches } from '../database/delete-in-batches.ts'
import type { Clock } from '../runtime/clock.ts'
import { hashSingleUse, keptForMs } from './single-use-id.ts'
import type { TokenUses } from './token-uses.ts'

// What has ended begins anew, with the source of this use.
const COUNT = `
  INSERT INTO token_uses AS held (key, count, source, ends_at_ms) VALUES ($1, 1, $2, $3)
  ON CONFLICT (key) DO UPDATE SET
    count = CASE WHEN held.ends_at_ms <= $4 THEN 1 ELSE held.count + 1 END,
    source = CASE WHEN held.ends_at_ms <= $4 THEN excluded.source ELSE held.source END,
    ends_at_ms = GREATEST(held.ends_at_ms, excluded.ends_at_ms)
  RETURNING count, source`

export function openPostgresTokenUses({ pool }: Pick<Database, 'pool'>, clock: Clock): TokenUses {
  return {
    async count(group, id, source, untilMs) {
      const nowMs = clock()
      const key = hashSingleUse(group, id).toString('base64url')
      const values = [key, source, nowMs + keptForMs(untilMs, nowMs), nowMs]
      const { rows } = await guardDatabase(() =>
        pool.query<{ count: number; source: string }>(COUNT, values),
      )
      const [row] = rows
      return { count: row?.count ?? 1, isElsewhere: row !== undefined && row.source !== source }
    },
  }
}

const EXPIRED = { table: 'token_uses', condition: 'ends_at_ms <= $1' }

/** Deletes what has ended; Redis does so by itself. Rejects with DependencyUnavailable. */
export async function deleteEndedUses(
  { pool }: Pick<Database, 'pool'>,
  nowMs: number,
): Promise<void> {
  await deleteInBatches(pool, EXPIRED, [nowMs])
}
