// The contract of what remembers ids of single use: the same answers from PostgreSQL, Redis and a Cluster.

import { randomBytes } from 'node:crypto'
import { type Test, test } from 'tap'
import { openDatabase } from '../../src/database/database.ts'
import { deleteUsedUp, openPostgresSingleUse } from '../../src/replay/postgres-single-use.ts'
import { openRedisSingleUse } from '../../src/replay/redis-single-use.ts'
import type { SingleUse } from '../../src/replay/single-use.ts'
import { DEPENDENCY_DEADLINE_MS } from '../../src/runtime/deadline.ts'
import { DependencyUnavailable } from '../../src/runtime/dependency-unavailable.ts'
import { openTcpProxy, type TcpProxy } from '../contract/tcp-proxy.ts'
import { firstAnswer, openReadyStore, rejectionOf } from '../scenes/redis-fixture.ts'
import { inOwnTime } from '../support/own-time.ts'
import { openTestDatabase } from '../support/postgres.ts'
import { startRedis, startRedisCluster } from '../support/redis.ts'

const NOW = 1_900_000_000_000
const MINUTE_MS = 60_000
/** The deadline, and what a method may do besides; far below any default of a driver. */
const PATIENCE_MS = 2 * DEPENDENCY_DEADLINE_MS

interface Bench {
  /** One more instance. */
  open(): Promise<SingleUse>
  /** How the server is left without its connections, or begins anew where it belongs to the test. */
  restart(): Promise<void>
  /** For how long the server keeps each id that it has. */
  keptMs(): Promise<readonly number[]>
  readonly wire: TcpProxy
}

const newId = () => randomBytes(12).toString('hex')

async function openPostgresBench(t: Test): Promise<Bench> {
  const { url } = await openTestDatabase(t)
  const { hostname, port } = new URL(url)
  const wire = await openTcpProxy(t, { host: hostname, port: Number(port) })
  const direct = openDatabase(url)
  t.teardown(() => direct.close())
  return {
    wire,
    async open() {
      const proxied = new URL(url)
      proxied.host = `127.0.0.1:${wire.port}`
      const database = openDatabase(proxied.href)
      t.teardown(() => database.close())
      return openPostgresSingleUse(database, () => NOW)
    },
    async restart() {
      await wire.cut()
      await wire.heal()
    },
    async keptMs() {
      const sql = 'SELECT until_ms - $1 AS ms FROM single_use'
      const { rows } = await direct.pool.query<{ ms: string }>(sql, [NOW])
      return rows.map(({ ms }) => Number(ms))
    },
  }
}

async function openRedisBench(t: Test): Promise<Bench> {
  const server = await startRedis(t)
  const wire = await openTcpProxy(t, { host: '127.0.0.1', port: server.port })
  return {
    wire,
    async open() {
      const store = await openReadyStore(t, `redis://127.0.0.1:${wire.port}`)
      return openRedisSingleUse(store.runFree, () => NOW)
    },
    restart: () => server.restart(),
    async keptMs() {
      const keys = (await server.cli('KEYS', 'lineage:once:*')) as string[]
      return Promise.all(keys.map(async (key) => Number(await server.cli('PTTL', key))))
    },
  }
}

async function raceOn(t: Test, one: SingleUse, other: SingleUse): Promise<void> {
  const id = newId()
  const takes = Array.from({ length: 40 }, (_, index) =>
    (index % 2 === 0 ? one : other).take('race', id, NOW + MINUTE_MS),
  )
  const answers = await Promise.all(takes)
  t.equal(answers.filter((isFirst) => isFirst).length, 1, 'exactly one is the first')
}

for (const [name, openBench] of Object.entries({
  postgresql: openPostgresBench,
  redis: openRedisBench,
})) {
  test(`${name}: an id is used once, on whichever instance, and over a restart`, async (t) => {
    const bench = await openBench(t)
    const [one, other] = [await bench.open(), await bench.open()]
    const id = newId()
    const until = NOW + MINUTE_MS
    t.equal(await one.take('a', id, until), true)
    t.equal(await one.take('a', id, until), false)
    t.equal(await other.take('a', id, until), false)
    t.equal(await other.take('b', id, until), true, 'another group is another id')
    t.equal(await other.take('a', `${id} `, until), true, 'so is another spelling')
    t.equal(await one.take('ab', 'c', until), true)
    t.equal(await one.take('a', 'bc', until), true, 'group and id do not run together')
    await bench.restart()
    t.equal(await firstAnswer(() => one.take('a', id, until)), false)
    t.equal(await (await bench.open()).take('a', id, until), false)
  })

  test(`${name}: of 40 at once exactly one is the first`, async (t) => {
    const bench = await openBench(t)
    await raceOn(t, await bench.open(), await bench.open())
  })

  test(`${name}: an id of any length and any text takes the same room, for a bounded time`, async (t) => {
    const bench = await openBench(t)
    const store = await bench.open()
    for (const id of ['', '\0', '}{', 'ü'.repeat(10), 'x'.repeat(100_000)]) {
      t.equal(await store.take('', id, NOW + MINUTE_MS), true)
      t.equal(await store.take('', id, NOW + MINUTE_MS), false)
    }
    await t.rejects(store.take('a', newId(), NOW + 25 * 60 * MINUTE_MS), RangeError)
    await t.rejects(store.take('a', newId(), Number.NaN), RangeError)
    t.equal(
      await store.take('a', newId(), NOW - MINUTE_MS),
      true,
      'one that has ended is kept a moment',
    )
    const kept = await bench.keptMs()
    t.equal(kept.length, 6)
    t.ok(
      kept.every((ms) => ms > 0 && ms <= MINUTE_MS + 5_000),
      String(kept),
    )
    t.equal(kept.filter((ms) => ms > 5_000).length, 5)
  })

  for (const [what, begin] of [
    ['gone', (wire: TcpProxy) => wire.cut()],
    ['silent', (wire: TcpProxy) => wire.hang()],
  ] as const) {
    test(`${name}: a server that is ${what} lets nothing in, and says so in time`, async (t) => {
      const bench = await openBench(t)
      const store = await bench.open()
      const id = newId()
      t.equal(await store.take('a', id, NOW + MINUTE_MS), true)
      await begin(bench.wire)
      for (const round of ['at once', 'later']) {
        const refused = rejectionOf(store.take('a', newId(), NOW + MINUTE_MS))
        t.ok((await inOwnTime(round, refused, PATIENCE_MS)) instanceof DependencyUnavailable, round)
      }
      await bench.wire.heal()
      t.equal(await firstAnswer(() => store.take('a', id, NOW + MINUTE_MS)), false)
    })
  }
}

test('redis cluster: an id is used once', async (t) => {
  const { url } = await startRedisCluster(t)
  const open = async () => openRedisSingleUse((await openReadyStore(t, url)).runFree, () => NOW)
  await raceOn(t, await open(), await open())
})

test('PostgreSQL takes an id again that has ended, and forgets those alone', async (t) => {
  const { url } = await openTestDatabase(t)
  const database = openDatabase(url)
  t.teardown(() => database.close())
  let nowMs = NOW
  const store = openPostgresSingleUse(database, () => nowMs)
  const [short, long] = [newId(), newId()]
  t.equal(await store.take('a', short, NOW + MINUTE_MS), true)
  t.equal(await store.take('a', long, NOW + 2 * MINUTE_MS), true)
  nowMs = NOW + MINUTE_MS + 5_000
  t.equal(await store.take('a', short, nowMs), true)
  t.equal(await store.take('a', long, nowMs), false)
  await deleteUsedUp(database, NOW + MINUTE_MS + 10_000)
  const { rows } = await database.pool.query('SELECT count(*)::int AS count FROM single_use')
  t.same(rows, [{ count: 1 }])
})
