// A user with 100,000 ended families: nobody else waits for him, and neither does he. One script
// runs at a time in Redis, so none may cost more than a page.

import { type Test, test } from 'tap'
import { type Family, LIVE_FAMILIES_MAX } from '../../../src/families/family.ts'
import type { RedisFamilyStore } from '../../../src/families/redis/redis-family-store.ts'
import type { UserRecord } from '../../../src/users/user.ts'
import { ending, logIn, newUser, rotateOn, rotation } from '../../contract/family-bench.ts'
import { openReadyStore } from '../../scenes/redis-fixture.ts'
import { type RedisProcess, startRedis } from '../../support/redis.ts'
import { until } from '../../support/until.ts'

const TOMBSTONES = 100_000
const BATCH = 5_000
const SLOW_MICROSECONDS = 2_000
const DAY_MS = 86_400_000

// An index as versions wrote it that never took an ended family out.
const SEED = `
for i = 1, tonumber(ARGV[2]) do
  local id = string.format('%08x-0000-4000-8000-%012x', ARGV[1], i)
  redis.call('HSET', KEYS[1] .. 'f:' .. id, 'scope', '[]', 'audience', '["https://api.example"]',
    'clientId', 'web', 'secretHash', 'x', 'generation', '0', 'epoch', '0', 'createdAtMs', ARGV[3],
    'rotatedAtMs', ARGV[3], 'idleExpiresAtMs', ARGV[4], 'absoluteExpiresAtMs', ARGV[4],
    'ip', '192.0.2.1', 'userAgent', 'test', unpack(ARGV, 5))
  redis.call('ZADD', KEYS[1] .. 'families', ARGV[4] + i, id)
end`

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

/** Ended and idle-expired ones by turns, a day old. */
async function seed({ server, user }: Scene): Promise<void> {
  const now = Date.now()
  for (let batch = 0; batch < TOMBSTONES / BATCH; batch += 1) {
    const expiresAt = batch % 2 === 0 ? now + DAY_MS : now - DAY_MS / 2
    const ended = batch % 2 === 0 ? ['endedAtMs', `${now - DAY_MS}`, 'endedReason', 'x'] : []
    const times = [`${now - DAY_MS}`, `${expiresAt}`]
    const args = [`lineage:{u:${user.userId}}:`, `${batch}`, `${BATCH}`, ...times, ...ended]
    await server.cli('EVAL', SEED, '1', ...args)
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

  // The old index heals while it is read, in many short scripts.
  await staysFast(t, scene, () => store.index(user.userId), 'a list of an index that heals')
  const size = async () => Number(await server.cli('ZCARD', `lineage:{u:${user.userId}}:families`))
  await until('the index has healed', async () => {
    await store.index(user.userId)
    return (await size()) < 2 * LIVE_FAMILIES_MAX
  })
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

  const tombstone = { ...old, familyId: '00000000-0000-4000-8000-000000000001' as never }
  const request = rotation(tombstone, { secretHash: 'x', generation: 0, nowMs: Date.now() })
  t.match(await store.rotate(request), { outcome: 'inactive', reason: 'family_ended' })
})

test('an ended family that Redis has forgotten is not listed', async (t) => {
  const scene = await openScene(t)
  const { server, store, user } = scene
  const [gone, left] = [await logInNow(scene), await logInNow(scene)]
  for (const family of [gone, left]) await store.end(ending(family))
  await server.cli('DEL', `lineage:{u:${user.userId}}:f:${gone.familyId}`)
  const { ended } = await store.index(user.userId)
  t.match(ended, [{ familyId: left.familyId }])
  t.equal(ended.length, 1)
  t.equal(Number(await server.cli('ZCARD', `lineage:{u:${user.userId}}:ended`)), 1)
})
