// Families in PostgreSQL. Each method is one transaction. What changes a user or adds a family
// locks the user's row and then families, in this order; what concerns one family locks that one
// alone. So there is no deadlock, and refreshes, however many, never keep a change of the user
// waiting.
//
// A refresh reads the user in the statement that locks the family, so it takes four round trips with
// those of its transaction. It sees every change that was committed before; a change that commits later,
// and be it while it waits for the lock, ends the tokens of this refresh with all others.

import type pg from 'pg'
import { type Database, guardDatabase } from '../../database/database.ts'
import { inTransaction } from '../../database/transaction.ts'
import { isShown } from '../../oauth/confirmation.ts'
import type { Clock } from '../../runtime/clock.ts'
import type { UserId } from '../../users/user.ts'
import type {
  CreateFamily,
  CreateOutcome,
  EndFamily,
  EndOutcome,
  Family,
  FamilyId,
  Inspect,
  Inspection,
  RotateFamily,
  RotateOutcome,
} from '../family.ts'
import { ENDED_LISTED_MAX, type FamilyIndex, type FamilyKey } from '../family-index.ts'
import {
  beginFamily,
  classifyGeneration,
  findEnd,
  findInactiveReason,
  findKept,
  findRefusal,
  isElsewhere,
  isUserStale,
  momentOf,
} from '../family-rules.ts'
import type { FamilyStore } from '../family-store.ts'
import { isSameSecretHash } from '../refresh-token-string.ts'
import { ENDED_OF, LIVE_OF, makeRoom } from './postgres-family-room.ts'
import {
  insertFamily,
  type JsonRow,
  lockFamily,
  OF_USER,
  ownerKey,
  toFamily,
  toUserRecord,
  updateFamily,
  upsertUser,
} from './postgres-family-rows.ts'

/**
 * `clock` says when a revoked token is forgotten. The pool stays the database's: closing the store
 * closes nothing.
 */
export function openPostgresFamilyStore(
  database: Pick<Database, 'pool' | 'ping'>,
  clock: Clock,
): FamilyStore {
  const { pool } = database
  return {
    name: 'postgresql',
    create: (input) => inTransaction(pool, (client) => create(client, input)),
    rotate: (input) => inTransaction(pool, (client) => rotate(client, input)),
    end: (input) => inTransaction(pool, (client) => end(client, input)),

    async putUser(record) {
      await inTransaction(pool, (client) => upsertUser(client, record))
    },

    async revokeToken({ owner, jti, expiresAtMs }, nowMs) {
      if (expiresAtMs <= nowMs) return
      await guardDatabase(() =>
        pool.query(
          `INSERT INTO revoked_tokens (owner, jti, expires_at_ms) VALUES ($1, $2, $3)
           ON CONFLICT (owner, jti) DO UPDATE SET
             expires_at_ms = GREATEST(revoked_tokens.expires_at_ms, excluded.expires_at_ms)`,
          [ownerKey(owner), jti, expiresAtMs],
        ),
      )
    },

    inspect: (input) => guardDatabase(() => inspect(pool, input, clock())),
    index: (userId) => inTransaction(pool, (client) => index(client, userId)),
    read: (userId, familyIds) => guardDatabase(() => read(pool, userId, familyIds)),
    ping: () => database.ping(),
    async close() {},
  }
}

async function create(client: pg.PoolClient, input: CreateFamily): Promise<CreateOutcome> {
  const { user: given } = input
  const user = await upsertUser(client, given)
  if (user.epoch !== given.epoch || user.status !== 'active') {
    return { outcome: 'user_moved' }
  }
  const family = beginFamily(input, user)
  await insertFamily(client, family)
  const displaced = await makeRoom(client, family, user, input)
  return { outcome: 'created', family, user, displaced }
}

async function rotate(client: pg.PoolClient, input: RotateFamily): Promise<RotateOutcome> {
  const locked = await lockFamily(client, input)
  if (!locked) return { outcome: 'inactive', reason: 'family_unknown' }
  const { family, user } = locked
  if (!isSameSecretHash(family.secretHash, input.secretHash)) {
    return { outcome: 'inactive', reason: 'family_secret_wrong' }
  }
  if (family.clientId !== input.clientId) {
    return { outcome: 'inactive', reason: 'family_of_other_client' }
  }
  if (!isShown(family.confirmation, input.confirmation)) {
    return { outcome: 'inactive', reason: 'family_key_mismatch' }
  }
  if (user === undefined || isUserStale(user, family)) return { outcome: 'user_stale' }
  const nowMs = momentOf(family, input.nowMs)
  const reason = findInactiveReason(family, user, nowMs, input.clientSessionsValidFromMs)
  if (reason) return { outcome: 'inactive', reason }
  const meaning = classifyGeneration(family, input.generation, nowMs, input.graceMs)
  if (meaning === 'replay') {
    const end = { reason: 'reuse_detected', atMs: nowMs } as const
    const ended = await updateFamily(client, family, { ended: end })
    return { outcome: 'replayed', family: ended }
  }
  const error = findRefusal(family, user, input)
  if (error) return { outcome: 'refused', error }
  if (meaning === 'retry') {
    if (!isElsewhere(family, input)) return { outcome: 'retried', family, user, elsewhere: false }
    const retriedElsewhere = family.retriedElsewhere + 1
    const counted = await updateFamily(client, family, { retriedElsewhere })
    return { outcome: 'retried', family: counted, user, elsewhere: true }
  }
  const kept = findKept(family, input, meaning, nowMs)
  const behind = meaning === 'ahead'
  if (kept === 'young') return { outcome: 'kept', family, user, atMs: nowMs, behind }
  const moved = await updateFamily(client, family, {
    epoch: user.epoch,
    generation: kept ? input.generation : input.generation + 1,
    rotatedAtMs: kept && !behind ? family.rotatedAtMs : nowMs,
    usedAtMs: nowMs,
    idleExpiresAtMs: Math.min(nowMs + input.idleTtlMs, family.absoluteExpiresAtMs),
    ip: input.ip,
    userAgent: input.userAgent,
  })
  return kept
    ? { outcome: 'kept', family: moved, user, atMs: nowMs, behind }
    : { outcome: 'rotated', family: moved, user, behind }
}

async function end(client: pg.PoolClient, input: EndFamily): Promise<EndOutcome> {
  const locked = await lockFamily(client, input)
  if (!locked) return 'unknown'
  const { family, user } = locked
  if (input.secretHash !== undefined && !isSameSecretHash(family.secretHash, input.secretHash)) {
    return 'secret_wrong'
  }
  if (input.clientId !== undefined && family.clientId !== input.clientId) return 'other_client'
  const earlier = findEnd(family, user, input.atMs, 0)
  if (earlier && earlier.atMs <= input.atMs) return 'already_ended'
  await updateFamily(client, family, { ended: { reason: input.reason, atMs: input.atMs } })
  return family.ended ? 'already_ended' : 'ended'
}

async function inspect(
  pool: pg.Pool,
  { owner, familyId, jti, earlierJtis = [] }: Inspect,
  nowMs: number,
): Promise<Inspection> {
  const jtis = jti === undefined ? earlierJtis : [jti, ...earlierJtis]
  const { rows } = await pool.query<{
    family: JsonRow | null
    user: JsonRow | null
    revoked: boolean
  }>(
    `SELECT
       (SELECT to_jsonb(f) FROM families f WHERE id = $1 AND ${OF_USER}) AS family,
       (SELECT to_jsonb(u) FROM family_users u WHERE user_id = $2) AS user,
       EXISTS (SELECT FROM revoked_tokens
               WHERE owner = $3 AND jti = ANY ($4) AND expires_at_ms > $5) AS revoked`,
    [familyId ?? null, owner.userId ?? null, ownerKey(owner), jtis, nowMs],
  )
  const [row] = rows
  return {
    family: row?.family ? toFamily(row.family) : undefined,
    user: row?.user ? toUserRecord(row.user) : undefined,
    tokenRevoked: row?.revoked ?? false,
  }
}

async function index(client: pg.PoolClient, userId: UserId): Promise<FamilyIndex> {
  // Without statistics PostgreSQL would gather all ended ones and sort them to give the newest.
  await client.query('SET LOCAL enable_bitmapscan = off')
  const { rows } = await client.query<{
    user: JsonRow | null
    live: JsonRow[] | null
    ended: FamilyKey[] | null
  }>(
    `SELECT
       (SELECT to_jsonb(u) FROM family_users u WHERE user_id = $1) AS user,
       (SELECT jsonb_agg(to_jsonb(f) ORDER BY created_at_ms, id) FROM families f
        WHERE ${LIVE_OF} = $1) AS live,
       (SELECT jsonb_agg(jsonb_build_object('familyId', id, 'createdAtMs', created_at_ms)
                         ORDER BY created_at_ms, id)
        FROM (SELECT id, created_at_ms FROM families WHERE ${ENDED_OF} = $1
              ORDER BY created_at_ms DESC, id DESC LIMIT $2) newest) AS ended`,
    [userId, ENDED_LISTED_MAX],
  )
  const [row] = rows
  return {
    user: row?.user ? toUserRecord(row.user) : undefined,
    live: (row?.live ?? []).map(toFamily),
    ended: row?.ended ?? [],
  }
}

async function read(
  pool: pg.Pool,
  userId: UserId,
  familyIds: readonly FamilyId[],
): Promise<Family[]> {
  const { rows } = await pool.query<{ row: JsonRow }>(
    `SELECT to_jsonb(f) AS row FROM families f WHERE id = ANY ($1) AND ${OF_USER}`,
    [familyIds, userId],
  )
  return rows.map(({ row }) => toFamily(row))
}
