// For each invariant one thing that breaks it, done to stores that are whole: by SQL within a transaction
// that is rolled back, or to Redis, which is restored.

import type { Redis } from 'ioredis'
import type { Invariant } from './invariants.ts'

interface Plant {
  readonly sql?: readonly string[]
  readonly redis?: readonly ((redis: Redis) => Promise<unknown>)[]
}

const FAMILY = 'lineage:{u:*}:f:*'
/** The first byte of a packed family has its flags, and the four behind it its generation. */
const EPOCH_AT = 5

/** Into a partition of its own, because an id is unique within one. */
const TWIN = `
  CREATE TABLE planted PARTITION OF audit_events FOR VALUES FROM ('2999-01-01') TO ('2999-01-02');
  INSERT INTO planted (id, at, type) SELECT id, '2999-01-01', type FROM audit_events LIMIT 1`

export const PLANTED: { readonly [Name in Exclude<Invariant, 'sealed_current'>]: Plant } = {
  redis_key_known: { redis: [(redis) => redis.set('lineage:lost', '1')] },
  family_well_formed: { redis: [(redis) => onLive(redis, (key) => redis.append(key, 'x'))] },
  family_has_user: { sql: ["DELETE FROM users WHERE roles = '{editor}'"] },
  family_epoch: {
    redis: [(redis) => onLive(redis, (key) => redis.setrange(key, EPOCH_AT, '\0\0\0\x09'))],
  },
  family_ended: { redis: [(redis) => onEnded(redis, (key) => listAsLive(redis, key))] },
  live_index: { redis: [(redis) => onLive(redis, (key) => redis.ltrim(userOf(key), 0, 0))] },
  ended_index: { redis: [(redis) => onEnded(redis, (key) => redis.del(`${userOf(key)}:ended`))] },
  user_copy: { redis: [(redis) => onLive(redis, (key) => redis.rpush(userOf(key), 'abcd'))] },
  user_copy_not_ahead: { sql: ["UPDATE users SET roles = '{owner}' WHERE roles = '{editor}'"] },
  user_copy_outlives: {
    redis: [(redis) => onLive(redis, (key) => redis.pexpire(userOf(key), 60_000))],
  },
  journal_applied: { redis: [(redis) => onEnded(redis, (key) => revive(redis, key))] },
  mark_not_ahead: { redis: [(redis) => redis.set('lineage:{journal}:applied', '9999999999999')] },
  user_record: { sql: ["UPDATE users SET epoch = epoch + 1 WHERE roles = '{editor}'"] },
  user_journalled: { sql: ["DELETE FROM journal WHERE payload->>'kind' = 'user'"] },
  user_deleted_whole: { sql: ["UPDATE users SET username = 'dan' WHERE status = 'deleted'"] },
  user_factors: { sql: ['UPDATE users SET has_factor = NOT has_factor'] },
  signing_key_active: { sql: ['DELETE FROM signing_keys'] },
  sealed_opens: { sql: ["UPDATE webhooks SET secrets_encrypted = secrets_encrypted || '\\x00'"] },
  migrations_finished: {
    sql: [
      `UPDATE _prisma_migrations SET finished_at = NULL
       WHERE migration_name = (SELECT max(migration_name) FROM _prisma_migrations)`,
    ],
  },
  schema_whole: { sql: ['ALTER TABLE webhooks DROP COLUMN description'] },
  client_secrets: { sql: ['DELETE FROM client_secrets'] },
  client_log: { sql: ["UPDATE table_versions SET version = 0 WHERE name = 'clients'"] },
  event_once: { sql: [TWIN] },
  delivery_has_event: { sql: ["DELETE FROM audit_events WHERE type = 'user.created'"] },
  webhook_told: { sql: ['DELETE FROM webhook_deliveries'] },
}

const userOf = (familyKey: string) => familyKey.slice(0, familyKey.indexOf(':f:'))

type OnKey = (key: string) => Promise<unknown>

/** One family of each user that lives, by its flags. */
async function onLive(redis: Redis, act: OnKey): Promise<void> {
  for (const key of await redis.keys(FAMILY)) {
    if (((await redis.getrangeBuffer(key, 0, 0))[0] ?? 0) === 0) await act(key)
  }
}

async function onEnded(redis: Redis, act: OnKey): Promise<void> {
  for (const key of await redis.keys(FAMILY)) {
    if (((await redis.getrangeBuffer(key, 0, 0))[0] ?? 0) % 2 === 1) await act(key)
  }
}

async function listAsLive(redis: Redis, key: string): Promise<void> {
  const id = key.slice(-22)
  const ids = String(await redis.lindex(userOf(key), 2))
  await redis.lset(userOf(key), 2, ids + id)
}

/** As if the end had never come: without its flag, and without what stands behind the texts. */
async function revive(redis: Redis, key: string): Promise<void> {
  const value = await redis.getBuffer(key)
  if (!value) return
  const reason = value.lastIndexOf('revoked_by_client')
  const alive = Buffer.from(value.subarray(0, reason - 6))
  alive[0] = 0
  await redis.set(key, alive, 'KEEPTTL')
  await listAsLive(redis, key)
  await redis.zrem(`${userOf(key)}:ended`, key.slice(-22))
}
