// The live families of one user in PostgreSQL: which they are, and how they make room for one more.

import type pg from 'pg'
import type { UserRecord } from '../../users/user.ts'
import { type CreateFamily, type Family, LIVE_FAMILIES_MAX } from '../family.ts'

/**
 * `user_id` of a family that was neither ended nor found dead, and of every other one. Written as two
 * indexes have it, which PostgreSQL compares part by part: only these serve such a condition, with
 * or without statistics. Families that died unnoticed are among the live ones.
 */
export const LIVE_OF = '(CASE WHEN ended_at_ms IS NULL AND NOT found_dead THEN user_id END)'
export const ENDED_OF = '(CASE WHEN ended_at_ms IS NOT NULL OR found_dead THEN user_id END)'

/** How many one login looks at. More are there only where nobody has taken the dead out before. */
const LOOKED_AT_MAX = 1_000

/**
 * Marks the dead, and ends the least recently used of more than LIVE_FAMILIES_MAX. The user's lock
 * keeps other logins out. What lives is `findInactiveReason`, in SQL because `made` is not alone in
 * waiting for an answer; a kept family has been stamped with the record.
 */
export async function makeRoom(
  client: pg.PoolClient,
  made: Family,
  user: UserRecord,
  { nowMs, clientSessionsValidFromMs }: CreateFamily,
): Promise<void> {
  await client.query(
    `WITH looked_at AS (
       SELECT id, rotated_at_ms, created_at_ms,
         absolute_expires_at_ms > $3 AND idle_expires_at_ms > $3
           AND epoch >= $5 AND created_at_ms >= $6 AS lives
       FROM families WHERE ${LIVE_OF} = $1 AND client_id = $2 AND id <> $4
       ORDER BY created_at_ms, id LIMIT $8),
     surplus AS (
       SELECT id FROM looked_at WHERE lives
       ORDER BY rotated_at_ms DESC, created_at_ms DESC, id DESC OFFSET $7)
     UPDATE families f SET
       found_dead = NOT lives,
       ended_at_ms = CASE WHEN lives THEN $3::bigint END,
       ended_reason = CASE WHEN lives THEN 'session_limit' END
     FROM looked_at WHERE f.id = looked_at.id
       AND (NOT lives OR f.id IN (SELECT id FROM surplus))`,
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
}
