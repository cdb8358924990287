// Redis Sentinel: the store follows the master, and the new one answers nothing before the journal
// was re-applied to it (DESIGN §5).

import { test } from 'tap'
import { ending, logIn, rotateOn } from '../contract/family-bench.ts'
import { startRedisSentinel } from '../support/redis.ts'
import { firstRotation, openReadyStore, openTestJournal, rejectionOf } from './redis-fixture.ts'

test('a failover: what the old master took with it is in force on the new one', async (t) => {
  const { url, master, replica, sentinel } = await startRedisSentinel(t)
  const { journal } = await openTestJournal(t)
  const store = await openReadyStore(t, url, journal)
  const [family, ended] = [await logIn(store), await logIn(store)]
  const second = await rotateOn(store, family)
  await master.cli('WAIT', '1', '5000')

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
