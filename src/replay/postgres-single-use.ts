// Ids of single use in PostgreSQL, where families live there too: one statement each.

import { type Database, guardDatabase } from '../database/database.ts'
import { deleteInBatches } from '../database/delete-in-batches.ts'
import type { Clock } from '../runtime/clock.ts'
import type { SingleUse } from './single-use.ts'
import { hashSingleUse, keptForMs } from './single-use-id.ts'

/** Of two at once the second waits for the first, and then finds its row. */
const TAKE = `
  INSERT INTO single_use AS held (id, until_ms) VALUES ($1, $2)
  ON CONFLICT (id) DO UPDATE SET until_ms = excluded.until_ms WHERE held.until_ms <= $3`

export function openPostgresSingleUse({ pool }: Pick<Database, 'pool'>, clock: Clock): SingleUse {
  return {
    async take(group, id, untilMs) {
      const nowMs = clock()
      const values = [hashSingleUse(group, id), nowMs + keptForMs(untilMs, nowMs), nowMs]
      const { rowCount } = await guardDatabase(() => pool.query(TAKE, values))
      return rowCount === 1
    },
  }
}

const EXPIRED = { table: 'single_use', condition: 'until_ms <= $1' }

/** Deletes ids that are of no use any more; Redis does so by itself. Rejects with DependencyUnavailable. */
export async function deleteUsedUp({ pool }: Pick<Database, 'pool'>, nowMs: number): Promise<void> {
  await deleteInBatches(pool, EXPIRED, [nowMs])
}
