// Redis Sentinel: the store follows the master, and the new one answers nothing before the journal
// was re-applied to it.

import { test } from 'tap'
import { keysOf } from '../../../src/families/redis/redis-keys.ts'
import {
  ending,
  logIn,
  newLogin,
  newUser,
  rotateOn,
  rotation,
} from '../../contract/family-bench.ts'
import {
  familiesOn,
  firstRotation,
  openReadyStore,
  openTestJournal,
  readFamily,
  rejectionOf,
} from '../../scenes/redis-fixture.ts'
import { caughtUp, startRedisSentinel } from '../../support/redis.ts'
import { until } from '../../support/until.ts'

test('a failover: what the old master took with it is in force on the new one', async (t) => {
  const { url, master, replica, sentinel } = await startRedisSentinel(t)
  const { journal } = await openTestJournal(t)
  const store = await openReadyStore(t, url, journal)
  const [family, ended] = [await logIn(store), await logIn(store)]
  const second = await rotateOn(store, family)
  await caughtUp(master, replica)

  await master.kill()
  await journal.append({ kind: 'family', end: ending(ended) })
  t.equal(await firstRotation(store, ended), 'inactive family_ended')
  t.equal((await rotateOn(store, second)).generation, 2)
  t.match(await replica.cli('ROLE'), ['master'])

  await sentinel.stop()
  t.equal((await rotateOn(store, await logIn(store))).generation, 1, 'no Sentinel, no harm')
  await replica.stop()
  await rejectionOf(store.ping())
})

/** One that the real clock judges. */
function newLoginNow() {
  const nowMs = Date.now()
  const expiresAtMs = nowMs + 3_600_000
  const expiry = { idleExpiresAtMs: expiresAtMs, absoluteExpiresAtMs: expiresAtMs }
  return newLogin(newUser(), expiry, nowMs)
}

test('a planned failover: the old master is left at once, though it still takes writes', async (t) => {
  const { url, master, replica, sentinel } = await startRedisSentinel(t)
  const { journal } = await openTestJournal(t)
  const store = await openReadyStore(t, url, journal)
  const late = await openReadyStore(t, master.url, journal)
  // Sentinels tell the old master some eight seconds later; this one never hears of it.
  await master.cli('ACL', 'SETUSER', 'default', '-replicaof', '-slaveof')
  await sentinel.cli('SENTINEL', 'FAILOVER', 'mymaster')
  // A Sentinel ends the connections of whom it promotes.
  const ask = (...command: string[]) => replica.cli(...command).catch(() => undefined)
  await until('the promotion', async () => String(await ask('ROLE')).startsWith('master'))
  const login = newLogin(newUser())
  const { userId } = login.user
  const key = keysOf({ userId }).family(login.family.familyId)
  await until('the new master', async () => {
    await store.create(login).catch(() => {})
    return (await ask('EXISTS', key)) === 1
  })
  t.match(await master.cli('ROLE'), ['master'])
  await sentinel.stop()

  // An instance that has not noticed: what it grants there goes with the old master.
  const families = familiesOn(late, journal)
  const lost = newLoginNow()
  t.equal((await families.create(lost)).outcome, 'created')
  const family = await readFamily(late, lost)
  t.equal((await familiesOn(store, journal).rotate(rotation(family))).outcome, 'rotated')

  const polled = newLoginNow()
  await families.create(polled)
  const rotated = await rotateOn(late, await readFamily(late, polled))
  await store.applyNewEntries()
  const caughtUp = await store.rotate(rotation(rotated))
  t.match(caughtUp, { outcome: 'rotated', behind: true, family: { generation: 2 } })
})
