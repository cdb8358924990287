// The live families of one user in PostgreSQL: which they are, and how they make room for one more.

import type pg from 'pg'
import type { UserRecord } from '../../users/user.ts'
import { type CreateFamily, type Family, LIVE_FAMILIES_MAX } from '../family.ts'

/**
 * `user_id` of a family that was neither ended nor found dead, and of every other one. Both are
 * written exactly as the two indexes are defined, or PostgreSQL would not use them. Families that
 * died without anybody noticing are still among the live ones.
 */
export const LIVE_OF = '(CASE WHEN ended_at_ms IS NULL AND NOT found_dead THEN user_id END)'
export const ENDED_OF = '(CASE WHEN ended_at_ms IS NOT NULL OR found_dead THEN user_id END)'

/**
 * How many one login looks at. There are more only in a table of a release that marked no dead
 * ones.
 */
const LOOKED_AT_MAX = 1_000

/**
 * Marks the dead, and ends the least recently used of more than LIVE_FAMILIES_MAX. The lock on the
 * user's row keeps other logins out. What lives is decided as by `findInactiveReason`, but in SQL,
 * so that no row has to be read. A family that an epoch keeps has that epoch already. Says how many it
 * has ended.
 */
export async function makeRoom(
  client: pg.PoolClient,
  made: Family,
  user: UserRecord,
  { nowMs, clientSessionsValidFromMs }: CreateFamily,
): Promise<number> {
  const { rows } = await client.query<{ isDisplaced: boolean }>(
    `WITH looked_at AS (
       SELECT id, GREATEST(rotated_at_ms, used_at_ms) AS used_at_ms, created_at_ms,
         absolute_expires_at_ms > $3 AND idle_expires_at_ms > $3
           AND epoch >= $5 AND created_at_ms >= $6 AS lives
       FROM families WHERE ${LIVE_OF} = $1 AND client_id = $2 AND id <> $4
       ORDER BY created_at_ms, id LIMIT $8),
     surplus AS (
       SELECT id FROM looked_at WHERE lives
       ORDER BY used_at_ms DESC, created_at_ms DESC, id DESC OFFSET $7)
     UPDATE families f SET
       found_dead = NOT lives,
       ended_at_ms = CASE WHEN lives THEN $3::bigint END,
       ended_reason = CASE WHEN lives THEN 'session_limit' END
     FROM looked_at WHERE f.id = looked_at.id
       AND (NOT lives OR f.id IN (SELECT id FROM surplus))
     RETURNING NOT f.found_dead AS "isDisplaced"`,
    [
      user.userId,
      made.clientId,
      nowMs,
      made.familyId,
      user.epoch,
      clientSessionsValidFromMs,
      LIVE_FAMILIES_MAX - 1,
      LOOKED_AT_MAX,
    ],
  )
  return rows.filter(({ isDisplaced }) => isDisplaced).length
}
