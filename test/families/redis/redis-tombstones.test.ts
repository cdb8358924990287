// A user with 100,000 ended families: nobody else waits for him, and neither does he. One script
// runs at a time in Redis, so none may cost more than a page.

import { type Test, test } from 'tap'
import type { ClientId } from '../../../src/clients/client.ts'
import { type Family, LIVE_FAMILIES_MAX } from '../../../src/families/family.ts'
import type { RedisFamilyStore } from '../../../src/families/redis/redis-family-store.ts'
import { keysOf, shortId } from '../../../src/families/redis/redis-keys.ts'
import type { UserRecord } from '../../../src/users/user.ts'
import { ending, logIn, newUser, rotateOn, rotation } from '../../contract/family-bench.ts'
import { openReadyStore } from '../../scenes/redis-fixture.ts'
import { type RedisProcess, startRedis } from '../../support/redis.ts'
import { until } from '../../support/until.ts'

const TOMBSTONES = 100_000
const BATCH = 5_000
const CLIENTS = 30
const SLOW_MICROSECONDS = 2_000
const DAY_MS = 86_400_000

// Copies of one family: as many as ARGV[1] says, beginning with the number ARGV[2].
const COPY = `
local value = redis.call('GET', KEYS[1] .. ':f:' .. ARGV[3])
local ids = {}
for i = 1, tonumber(ARGV[1]) do
  ids[i] = string.format('%022d', ARGV[2] + i)
  redis.call('SET', KEYS[1] .. ':f:' .. ids[i], value)
end`
const SEED_ENDED = `${COPY}
for i, id in ipairs(ids) do redis.call('ZADD', KEYS[1] .. ':ended', i, id) end
redis.call('ZREMRANGEBYRANK', KEYS[1] .. ':ended', 0, -201)`
const SEED_LIVE = `${COPY}
local at = redis.call('LLEN', KEYS[1]) - 1
redis.call('LSET', KEYS[1], at, redis.call('LINDEX', KEYS[1], at) .. table.concat(ids))`

interface Scene {
  readonly server: RedisProcess
  readonly store: RedisFamilyStore
  readonly user: UserRecord
}

async function openScene(t: Test): Promise<Scene> {
  const server = await startRedis(t, { args: ['--slowlog-log-slower-than', '1000000'] })
  const store = await openReadyStore(t, server.url)
  return { server, store, user: newUser() }
}

/** Ended ones, and as many as the index can hold of a client that nobody has used for a day. */
async function seed(scene: Scene): Promise<void> {
  const { server, store, user } = scene
  const copy = (script: string, count: number, from: number, { familyId }: Family) =>
    server.cli('EVAL', script, '1', keysOf(user).user, `${count}`, `${from}`, shortId(familyId))
  const ended = await logInNow(scene)
  await store.end(ending(ended))
  for (let from = 0; from < TOMBSTONES; from += BATCH) await copy(SEED_ENDED, BATCH, from, ended)
  for (let i = 0; i < CLIENTS; i += 1) {
    const clientId = `app-${i}` as ClientId
    const idleExpiresAtMs = Date.now() - DAY_MS / 2
    const dead = await logInNow(scene, { clientId, idleExpiresAtMs })
    await copy(SEED_LIVE, LIVE_FAMILIES_MAX - 1, TOMBSTONES * (i + 2), dead)
  }
}

function logInNow({ store, user }: Scene, others: Partial<Family> = {}): Promise<Family> {
  const nowMs = Date.now()
  const expiry = { idleExpiresAtMs: nowMs + DAY_MS, absoluteExpiresAtMs: nowMs + DAY_MS }
  return logIn(store, user, { ...expiry, ...others }, nowMs)
}

/**
 * That some run of `work` has no script that took too long: on a busy machine any of them may have
 * been stopped in the middle, but not in every run.
 */
async function staysFast(t: Test, { server }: Scene, work: () => Promise<unknown>, what: string) {
  await server.cli('CONFIG', 'SET', 'slowlog-log-slower-than', String(SLOW_MICROSECONDS))
  await until(`${what} without a slow script`, async () => {
    await server.cli('SLOWLOG', 'RESET')
    await work()
    return Number(await server.cli('SLOWLOG', 'LEN')) === 0
  })
  t.pass(what)
}

/** Commands inside of scripts, which is what a script costs. */
async function countCalls(server: RedisProcess, work: () => Promise<unknown>): Promise<number> {
  await server.cli('CONFIG', 'RESETSTAT')
  await work()
  const info = String(await server.cli('INFO', 'commandstats'))
  return [...info.matchAll(/:calls=(\d+)/g)].reduce((sum, [, calls]) => sum + Number(calls), 0)
}

test('100,000 tombstones of one user cost nobody anything', { timeout: 120_000 }, async (t) => {
  const scene = await openScene(t)
  const { server, store, user } = scene
  const stranger = await logInNow({ ...scene, user: newUser() })
  const old = await logInNow(scene)
  await seed(scene)

  await staysFast(t, scene, () => logInNow(scene), 'a login')
  await staysFast(t, scene, async () => store.end(ending(await logInNow(scene))), 'an end')
  let family = stranger
  await staysFast(
    t,
    scene,
    async () => {
      family = await rotateOn(store, family, { nowMs: Date.now() })
    },
    "another user's refresh",
  )

  // The index heals while it is read, in many short scripts.
  await staysFast(t, scene, () => store.index(user.userId), 'a list of an index that heals')
  await store.index(user.userId)
  t.equal(await server.cli('LLEN', keysOf(user).user), 3, 'one client is left')
  const { live, ended } = await store.index(user.userId)
  t.equal(ended.length, 200)
  t.ok(
    live.some(({ familyId }) => familyId === old.familyId),
    'whoever lives is still listed',
  )

  const calls = await countCalls(server, () => store.index(user.userId))
  t.ok(calls < 1_000, `a list is ${calls} commands`)
  for (let from = live.length; from < LIVE_FAMILIES_MAX; from += 1) await logInNow(scene)
  await staysFast(t, scene, () => logInNow(scene), 'a login that makes room')
  await staysFast(t, scene, () => store.index(user.userId), 'a list')
  const ids = ended.map(({ familyId }) => familyId)
  await staysFast(t, scene, () => store.read(user.userId, ids), 'a page of 200')

  const [tombstone] = await store.read(user.userId, ids.slice(0, 1))
  const request = rotation(tombstone ?? old, { nowMs: Date.now() })
  t.match(await store.rotate(request), { reason: /^family_(ended|idle_expired)$/ }, 'still known')
})

test('an ended family that Redis has forgotten is not listed', async (t) => {
  const scene = await openScene(t)
  const { server, store, user } = scene
  const [gone, left] = [await logInNow(scene), await logInNow(scene)]
  for (const family of [gone, left]) await store.end(ending(family))
  await server.cli('DEL', keysOf(user).family(gone.familyId))
  const { ended } = await store.index(user.userId)
  t.match(ended, [{ familyId: left.familyId }])
  t.equal(ended.length, 1)
  t.equal(Number(await server.cli('ZCARD', keysOf(user).ended)), 1)
})
