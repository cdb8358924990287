// What the password hashes of all users cost: one look-up in an index for each kind that there is,
// however many users there are.

import { type Database, guardDatabase } from '../database/database.ts'
import { SETTINGS_MAX } from './password-costs.ts'
import type { PasswordCost } from './password-scheme.ts'

// `group:work:settings`, sorted as text because work has leading zeros. Exactly as in the index
// users_password_hash_cost_idx: PostgreSQL uses it for no other expression.
const COST = `password_hash_cost(password_hash) COLLATE "C"`
const part = (number: number) => `split_part(dearer.cost, ':', ${number})`

/**
 * From the greatest cost downwards, each step one look-up of the next below: within a group only where
 * settings count, and not of more than are kept; otherwise below the whole group.
 */
export const STORED_COSTS = `
  WITH RECURSIVE dearer AS (
    (SELECT ${COST} AS cost, 1 AS nth FROM users WHERE ${COST} IS NOT NULL
     ORDER BY ${COST} DESC LIMIT 1)
    UNION ALL
    SELECT below.cost,
      CASE WHEN split_part(below.cost, ':', 1) = ${part(1)} THEN dearer.nth + 1 ELSE 1 END
    FROM dearer CROSS JOIN LATERAL (
      SELECT ${COST} AS cost FROM users
      WHERE ${COST} < CASE WHEN ${part(3)} = '' OR dearer.nth >= ${SETTINGS_MAX}
        THEN ${part(1)} || ':' ELSE dearer.cost END
      ORDER BY ${COST} DESC LIMIT 1
    ) AS below
  )
  SELECT cost FROM dearer`

/** Rejects with DependencyUnavailable. */
export async function loadStoredPasswordCosts({
  pool,
}: Pick<Database, 'pool'>): Promise<readonly PasswordCost[]> {
  const { rows } = await guardDatabase(() => pool.query<{ cost: string }>(STORED_COSTS))
  return rows.map(({ cost }) => {
    const [group = '', work = '', settings = ''] = cost.split(':')
    return { group, work: Number(work), settings }
  })
}
