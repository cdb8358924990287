// What a list of families shows while they change between two of its steps.

import { Redis } from 'ioredis'
import { test } from 'tap'
import { openListCommands } from '../../../src/families/redis/redis-family-list.ts'
import { watchStoreClock } from '../../../src/families/redis/redis-store-clock.ts'
import { scriptRunner } from '../../../src/redis/redis-script.ts'
import { ending, logIn, newUser, T0 } from '../../contract/family-bench.ts'
import { openReadyStore } from '../../scenes/redis-fixture.ts'
import { startRedis } from '../../support/redis.ts'

/** More than two steps look at. */
const FAMILIES = 101
/** Places in the first step: the first one, one in the middle, and the last one. */
const ENDED: Readonly<Record<string, readonly number[]>> = {
  first: [0],
  'in the middle': [7, 30],
  last: [49],
  'in all places': [0, 7, 30, 49],
}

for (const [where, places] of Object.entries(ENDED)) {
  test(`a family that ends after the first step hides no other: ${where}`, async (t) => {
    const server = await startRedis(t)
    const store = await openReadyStore(t, server.url)
    const user = newUser()
    for (let i = 0; i < FAMILIES; i += 1) {
      // Kept the longer the later it was made; two clients, because one has 100 at most.
      const clientId = i % 2 === 0 ? 'web' : 'mobile'
      const expiry = { absoluteExpiresAtMs: T0 + 90 * 86_400_000 + i }
      await logIn(store, user, { clientId: clientId as never, ...expiry }, T0 + i)
    }
    const before = (await store.index(user.userId)).live
    const gone = places.map((place) => {
      const family = before.at(-1 - place)
      if (!family) throw new Error('none was made')
      return family
    })

    const redis = new Redis(server.port)
    t.teardown(() => redis.disconnect())
    const readClock = watchStoreClock(redis)
    await redis.ping()
    await readClock()
    const run = scriptRunner(redis, 'free')
    let steps = 0
    const { index } = openListCommands(async (script, keys, args) => {
      const reply = await run(script, keys, args)
      steps += 1
      if (steps === 1)
        for (const family of gone) await store.end(ending(family, { atMs: T0 + 200 }))
      return reply
    })
    const { live } = await index(user.userId)
    t.equal(before.length, FAMILIES)
    const shown = new Set(live.map(({ familyId }) => familyId))
    t.strictSame(
      before.filter((family) => !gone.includes(family) && !shown.has(family.familyId)),
      [],
    )
  })
}
