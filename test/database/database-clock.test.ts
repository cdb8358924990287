// The shared clock where answers are long on their way: both of its times are bounds of PostgreSQL's
// own, and so an end comes after everything that was made before it, at whichever instance.

import { setTimeout as delay } from 'node:timers/promises'
import { type Test, test } from 'tap'
import type { Database } from '../../src/database/database.ts'
import {
  type DatabaseClock,
  openDatabaseClock,
  readDatabaseTime,
} from '../../src/database/database-clock.ts'
import { MINIMAL, storeOn } from '../scenes/client-fixtures.ts'
import { openReadyDatabase } from '../support/database.ts'
import { openTestDatabase } from '../support/postgres.ts'

const SLOW_MS = 300

/** A clock whose question to PostgreSQL is slow on its way there, or whose answer is on its way back. */
async function openSlowClock({ watch }: Database, slow: 'there' | 'back'): Promise<DatabaseClock> {
  const query = async (text: string) => {
    if (slow === 'there') await delay(SLOW_MS)
    const answer = await watch.query(text)
    if (slow === 'back') await delay(SLOW_MS)
    return answer
  }
  const clock = openDatabaseClock({ watch: { query } as unknown as Database['watch'] })
  await clock.read()
  return clock
}

async function openScene(t: Test) {
  const { url } = await openTestDatabase(t)
  const database = await openReadyDatabase(t, url)
  const [ahead, behind] = await Promise.all([
    openSlowClock(database, 'there'),
    openSlowClock(database, 'back'),
  ])
  return { database, clocks: [ahead, behind] }
}

test('the two times hold the time of PostgreSQL between them', async (t) => {
  const { database, clocks } = await openScene(t)
  for (const { now, latest } of clocks) {
    const before = await readDatabaseTime(database)
    const [nowMs, latestMs] = [now(), latest()]
    const after = await readDatabaseTime(database)
    t.ok(nowMs <= after, 'nothing is dated in the future')
    t.ok(latestMs >= before, 'no end is dated in the past')
    t.ok(latestMs - nowMs >= SLOW_MS, 'what is not known is not guessed')
    t.equal(Number.isInteger(nowMs) && Number.isInteger(latestMs), true)
  }
})

test('the end of a client’s sessions is after all that were made, at any instance', async (t) => {
  const { database, clocks } = await openScene(t)
  for (const [index, { latest }] of clocks.entries()) {
    const id = `web-${index}`
    const store = storeOn(database, { clock: latest })
    for (const { now } of clocks) {
      const end = async () => (await store.find(id))?.sessionsValidFrom.getTime() ?? 0
      const madeBefore = now()
      await store.create({ ...MINIMAL, id })
      t.ok((await end()) > madeBefore, 'a client made anew knows no older session')
      const madeSince = now()
      t.equal(await store.endSessions(id), true)
      t.ok((await end()) > madeSince)
      await store.delete(id)
    }
  }
})
