// The walker of `npm run crash` finds each kind of damage, planted by hand in stores that are whole: a walker
// that finds nothing would make every crash look harmless.

import { Redis } from 'ioredis'
import pg from 'pg'
import { test } from 'tap'
import { parseRedisUrl } from '../../src/config/redis-url.ts'
import { openRootSecrets } from '../../src/secrets/root-secret.ts'
import { openTestDatabase } from '../support/postgres.ts'
import { startRedis } from '../support/redis.ts'
import { ROOT_SECRET, rootSecretOf } from '../support/root-secrets.ts'
import { fillStores } from './filled-stores.ts'
import { type Damage, INVARIANTS } from './invariants.ts'
import { PLANTED } from './planted-damage.ts'
import type { Query } from './read-users.ts'
import { walkStores } from './walk.ts'
import { readSchema } from './walk-schema.ts'

test('each kind of damage is found, and whole stores have none', async (t) => {
  const [{ url }, redisServer] = await Promise.all([openTestDatabase(t), startRedis(t)])
  await t.test('some life', (t) => fillStores(t, url, parseRedisUrl(redisServer.url)))

  const client = new pg.Client({ connectionString: url })
  await client.connect()
  t.teardown(() => client.end())
  const redis = new Redis(redisServer.url)
  t.teardown(() => redis.disconnect())
  const query: Query = async <Row>(sql: string, values: readonly unknown[] = []) =>
    (await client.query(sql, [...values])).rows as Row[]
  const schema = await readSchema(query)
  const rootSecrets = openRootSecrets([ROOT_SECRET])
  const about = { query, redisUrl: redisServer.url, rootSecrets, algs: ['ES256'], schema }
  const walk = () => walkStores({ ...about, isSealedAnew: true })

  t.strictSame(await walk(), [], 'whole stores')
  const dumps = await dumpAll(redis)

  for (const [invariant, { sql = [], redis: commands = [] }] of Object.entries(PLANTED)) {
    await client.query('BEGIN')
    for (const statement of sql) await client.query(statement)
    for (const command of commands) await command(redis)
    const found = await walk()
    t.ok(names(found).includes(invariant), `${invariant}: ${JSON.stringify(found).slice(0, 200)}`)
    await client.query('ROLLBACK')
    if (commands.length > 0) await restoreAll(redis, dumps)
  }
  t.strictSame(await walk(), [], 'whole again')

  await t.test('secrets that were taken out too early', async (t) => {
    const others = openRootSecrets([rootSecretOf(2)])
    t.strictSame(names(await walkStores({ ...about, rootSecrets: others })), [
      'sealed_opens',
      'signing_key_active',
    ])
    const both = openRootSecrets([rootSecretOf(2), ROOT_SECRET])
    const left = await walkStores({ ...about, rootSecrets: both, isSealedAnew: true })
    t.strictSame(names(left), ['sealed_current'])
    t.equal(left.length, 3, 'keys, webhooks and factors')
  })
  const untried = Object.keys(INVARIANTS).filter((name) => !(name in PLANTED))
  t.strictSame(untried, ['sealed_current'], 'which other secrets show')
})

const names = (damages: readonly Damage[]): string[] =>
  [...new Set(damages.map(({ invariant }) => invariant))].sort()

interface Dump {
  readonly key: string
  readonly ttlMs: number
  readonly bytes: Buffer
}

async function dumpAll(redis: Redis): Promise<Dump[]> {
  const dumps: Dump[] = []
  for (const key of await redis.keys('*')) {
    const bytes = await redis.dumpBuffer(key)
    dumps.push({ key, ttlMs: Math.max(0, await redis.pttl(key)), bytes })
  }
  return dumps
}

async function restoreAll(redis: Redis, dumps: readonly Dump[]): Promise<void> {
  await redis.flushall()
  for (const { key, ttlMs, bytes } of dumps) await redis.restore(key, ttlMs, bytes)
}
