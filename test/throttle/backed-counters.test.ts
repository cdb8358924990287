// A store that goes away neither opens the door nor shuts it.

import { test } from 'tap'
import { DependencyUnavailable } from '../../src/runtime/dependency-unavailable.ts'
import { openBackedCounters } from '../../src/throttle/backed-counters.ts'
import { openMemoryCounters } from '../../src/throttle/memory-counters.ts'
import { openRedisCounters } from '../../src/throttle/redis-counters.ts'
import { openReadyStore } from '../scenes/redis-fixture.ts'
import { startRedis } from '../support/redis.ts'
import { until } from '../support/until.ts'

const NOW = 1_900_000_000_000
const COUNTER = { group: 'g', name: 'n', windowMs: 60_000 }

test('counts on in memory while Redis is away, and with Redis when it is back', async (t) => {
  const server = await startRedis(t)
  const away: DependencyUnavailable[] = []
  const open = async () =>
    openBackedCounters({
      store: openRedisCounters((await openReadyStore(t, server.url)).runFree),
      memory: openMemoryCounters(),
      onAway: (error) => away.push(error),
    })
  const [one, other] = [await open(), await open()]
  const countOf = async (counters: typeof one) => (await counters.read([COUNTER], NOW))[0]?.count
  await one.add([COUNTER], NOW)
  await one.add([COUNTER], NOW)
  await other.add([COUNTER], NOW)
  t.equal(await countOf(one), 3)

  await server.stop()
  t.same(
    await one.add([COUNTER], NOW),
    [{ count: 3, leftMs: 60_000 }],
    'the own failures are known',
  )
  t.equal(await countOf(other), 1, 'each instance counts for itself')
  t.ok(away.every((error) => error instanceof DependencyUnavailable))

  await server.start()
  await until('Redis counts again', async () => (await countOf(other)) === 3)
  t.equal(await countOf(one), 3, 'what memory has counted meanwhile is not forgotten')
  await other.add([COUNTER], NOW)
  t.equal(await countOf(one), 4)
})
