// The contract of the counters: the same answers from memory, PostgreSQL, Redis and a Cluster.

import { randomBytes } from 'node:crypto'
import { type Test, test } from 'tap'
import { openDatabase } from '../../src/database/database.ts'
import { DependencyUnavailable } from '../../src/runtime/dependency-unavailable.ts'
import type { Counter, Counters } from '../../src/throttle/counters.ts'
import { openMemoryCounters } from '../../src/throttle/memory-counters.ts'
import { deleteEndedCounters, openPostgresCounters } from '../../src/throttle/postgres-counters.ts'
import { openRedisCounters } from '../../src/throttle/redis-counters.ts'
import { openReadyStore } from '../scenes/redis-fixture.ts'
import { openTestDatabase } from '../support/postgres.ts'
import { openTestRedis, startRedisCluster } from '../support/redis.ts'

const NOW = 1_900_000_000_000

/** A counter that no other test has. */
function counterOf(name: string, windowMs = 1_000): Counter {
  return { group: randomBytes(8).toString('hex'), name, windowMs }
}

function openPair(): Promise<readonly [Counters, Counters]> {
  const counters = openMemoryCounters()
  return Promise.resolve([counters, counters])
}

async function openPostgresPair(t: Test): Promise<readonly [Counters, Counters]> {
  const { url } = await openTestDatabase(t)
  const open = () => {
    const database = openDatabase(url)
    t.teardown(() => database.close())
    return openPostgresCounters(database)
  }
  return [open(), open()]
}

async function openRedisPair(t: Test, url: string): Promise<readonly [Counters, Counters]> {
  const open = async () => openRedisCounters((await openReadyStore(t, url)).runFree)
  return [await open(), await open()]
}

const STORES: Readonly<Record<string, (t: Test) => Promise<readonly [Counters, Counters]>>> = {
  memory: openPair,
  postgresql: openPostgresPair,
  redis: async (t) => openRedisPair(t, (await openTestRedis(t)).url),
  'redis cluster': async (t) => openRedisPair(t, (await startRedisCluster(t)).url),
}

for (const [name, open] of Object.entries(STORES)) {
  test(`${name}: counts across instances, and begins anew when a window has ended`, async (t) => {
    const [one, other] = await open(t)
    const [short, long] = [counterOf('short', 1_000), counterOf('long', 5_000)]
    const both = [short, long]
    t.same(await one.read(both, NOW), [
      { count: 0, leftMs: 0 },
      { count: 0, leftMs: 0 },
    ])
    t.same(await one.add(both, NOW), [
      { count: 1, leftMs: 1_000 },
      { count: 1, leftMs: 5_000 },
    ])
    t.same(await other.add([long, short], NOW + 400), [
      { count: 2, leftMs: 4_600 },
      { count: 2, leftMs: 600 },
    ])
    t.same(await one.read(both, NOW + 999), [
      { count: 2, leftMs: 1 },
      { count: 2, leftMs: 4_001 },
    ])
    t.same(await one.read(both, NOW + 1_000), [
      { count: 0, leftMs: 0 },
      { count: 2, leftMs: 4_000 },
    ])
    t.same(await one.add(both, NOW + 1_000), [
      { count: 1, leftMs: 1_000 },
      { count: 3, leftMs: 4_000 },
    ])
  })

  test(`${name}: a mark is 1 and lives its whole window, however often it is made`, async (t) => {
    const [one, other] = await open(t)
    const known = counterOf('known', 10_000)
    await one.mark([known], NOW)
    await other.mark([known], NOW + 4_000)
    t.same(await one.read([known], NOW + 4_000), [{ count: 1, leftMs: 10_000 }])
    t.same(await one.read([known], NOW + 14_000), [{ count: 0, leftMs: 0 }])
  })

  test(`${name}: of many at once none is lost`, async (t) => {
    const [one, other] = await open(t)
    const counters = [counterOf('a', 60_000), counterOf('b', 60_000), counterOf('c', 60_000)]
    const backwards = counters.toReversed()
    const adding = Array.from({ length: 40 }, (_, index) =>
      index % 2 === 0 ? one.add(counters, NOW) : other.add(backwards, NOW),
    )
    // One that is late on a slow machine may be counted or not; without any, exactly forty are.
    const settled = await Promise.allSettled(adding)
    const late = settled.filter(({ status }) => status === 'rejected').length
    for (const outcome of settled) {
      if (outcome.status === 'rejected') t.type(outcome.reason, DependencyUnavailable)
    }
    for (const { count } of await one.read(counters, NOW)) {
      t.ok(count >= 40 - late && count <= 40, `${count} of 40, ${late} of them late`)
    }
  })
}

test('memory is bounded: the counter that began first makes room', async (t) => {
  const counters = openMemoryCounters(2)
  const [first, second, third] = [counterOf('1'), counterOf('2'), counterOf('3')]
  await counters.add([first, second, third], NOW)
  const tallies = await counters.read([first, second, third], NOW)
  t.same(
    tallies.map(({ count }) => count),
    [0, 1, 1],
  )
})

test('PostgreSQL forgets what has ended, and nothing else', async (t) => {
  const { url } = await openTestDatabase(t)
  const database = openDatabase(url)
  t.teardown(() => database.close())
  const counters = openPostgresCounters(database)
  const [short, long] = [counterOf('short', 1_000), counterOf('long', 5_000)]
  await counters.add([short, long], NOW)
  await deleteEndedCounters(database, NOW + 1_000)
  const { rows } = await database.pool.query('SELECT key FROM throttle_counters')
  t.same(rows, [{ key: `${long.group}:long` }])
})
