// All that one Redis holds, read raw: past the service, its scripts and its indexes.

import { Redis } from 'ioredis'
import type { Family, TokenOwner } from '../../src/families/family.ts'
import { keysOf, longId } from '../../src/families/redis/redis-keys.ts'
import { decodeFamily, decodeUser } from '../../src/families/redis/redis-record.ts'
import type { UserId, UserRecord } from '../../src/users/user.ts'

export interface StoredFamily {
  readonly key: string
  readonly userId: UserId
  readonly shortId: string
  /** Undefined where it cannot be read. */
  readonly family: Family | undefined
  readonly bytes: number
  readonly flags: number
  readonly ttlMs: number
}

export interface StoredUser {
  readonly key: string
  readonly userId: UserId
  /** Undefined where the copy was lost, or cannot be read. */
  readonly record: UserRecord | undefined
  /** The list as it is, the record first: by turns the mark of a client and its families. */
  readonly items: readonly string[]
  readonly ttlMs: number
}

export interface RedisContents {
  readonly users: ReadonlyMap<string, StoredUser>
  readonly families: ReadonlyMap<string, StoredFamily>
  /** By the key of the user: the ended families that are listed, with when they were made. */
  readonly ended: ReadonlyMap<string, ReadonlyMap<string, number>>
  hasRevokedToken(owner: TokenOwner, jti: string): boolean
  readonly marks: readonly number[]
  /** Keys of no kind that the service writes, and keys that never end though they should. */
  readonly strange: readonly string[]
}

const ID = '[A-Za-z0-9_-]{22}'
const USER = new RegExp(`^lineage:\\{u:(${ID})\\}$`)
const FAMILY = new RegExp(`^lineage:\\{u:(${ID})\\}:f:(${ID})$`)
const ENDED = new RegExp(`^(lineage:\\{u:${ID}\\}):ended$`)
const TOKEN = /^lineage:\{[uc]:[^}]+\}:t:.+$/
const MARK = /^lineage:\{journal(-\d+)?\}:applied$/
/** Counters of guesses, what may be used once, and ends of what was not there. */
const BRIEF = /^lineage:((throttle|uses|once):|\{u:[^}]+\}:gone:)/

/** Reads all of it; nothing else is expected to write meanwhile. */
export async function readRedis(url: string): Promise<RedisContents> {
  const redis = new Redis(url, { maxRetriesPerRequest: 0, lazyConnect: true })
  redis.on('error', () => {})
  try {
    await redis.connect()
    return await readAll(redis)
  } finally {
    redis.disconnect()
  }
}

async function readAll(redis: Redis): Promise<RedisContents> {
  const users = new Map<string, StoredUser>()
  const families = new Map<string, StoredFamily>()
  const ended = new Map<string, Map<string, number>>()
  const revokedTokens = new Set<string>()
  const marks: number[] = []
  const strange: string[] = []
  for (const key of await listKeys(redis)) {
    const ttlMs = await redis.pttl(key)
    // It has just come to its end.
    if (ttlMs === -2) continue
    const [, ownerOfFamily, shortId] = FAMILY.exec(key) ?? []
    const [, owner] = USER.exec(key) ?? []
    const [, userKey] = ENDED.exec(key) ?? []
    if (MARK.test(key)) {
      marks.push(Number(await redis.get(key)))
      continue
    }
    if (ttlMs < 0) strange.push(`${key} has no end`)
    if (ownerOfFamily && shortId) {
      families.set(key, await readFamily(redis, { key, ttlMs, shortId, owner: ownerOfFamily }))
    } else if (owner) users.set(key, await readUser(redis, { key, ttlMs, owner }))
    else if (userKey) ended.set(userKey, await readEnded(redis, key))
    else if (TOKEN.test(key)) revokedTokens.add(key)
    else if (!BRIEF.test(key)) strange.push(`${key} is nobody's`)
  }
  const hasRevokedToken = (owner: TokenOwner, jti: string) =>
    revokedTokens.has(keysOf(owner).revokedToken(jti))
  return { users, families, ended, hasRevokedToken, marks, strange }
}

async function listKeys(redis: Redis): Promise<string[]> {
  const keys = new Set<string>()
  for (let cursor = '0', isFirst = true; isFirst || cursor !== '0'; isFirst = false) {
    const [next, found] = await redis.scan(cursor, 'COUNT', 1_000)
    for (const key of found) keys.add(key)
    cursor = next
  }
  return [...keys].sort()
}

interface FamilyKey {
  readonly key: string
  readonly ttlMs: number
  readonly shortId: string
  readonly owner: string
}

async function readFamily(redis: Redis, at: FamilyKey): Promise<StoredFamily> {
  const { key, ttlMs, shortId, owner } = at
  const userId = longId<UserId>(owner)
  const value = (await redis.getBuffer(key)) ?? Buffer.alloc(0)
  const family = attempt(() => decodeFamily(value.toString('latin1'), userId, longId(shortId)))
  return { key, userId, shortId, family, bytes: value.length, flags: value[0] ?? 0, ttlMs }
}

async function readUser(
  redis: Redis,
  { key, ttlMs, owner }: { key: string; ttlMs: number; owner: string },
): Promise<StoredUser> {
  const userId = longId<UserId>(owner)
  const items = (await redis.lrangeBuffer(key, 0, -1)).map((item) => item.toString('latin1'))
  return { key, userId, record: attempt(() => decodeUser(items[0], userId)), items, ttlMs }
}

async function readEnded(redis: Redis, key: string): Promise<Map<string, number>> {
  const flat = await redis.zrange(key, '0', '-1', 'WITHSCORES')
  const scores = new Map<string, number>()
  for (let i = 0; i < flat.length; i += 2) scores.set(String(flat[i]), Number(flat[i + 1]))
  return scores
}

function attempt<T>(read: () => T): T | undefined {
  try {
    return read()
  } catch {
    return undefined
  }
}
