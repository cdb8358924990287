// What an instance journalled and died before storing reaches the store all the same
// (docs/semantics.md §4).

import { type Test, test } from 'tap'
import { openJournalReader } from '../../src/families/journal-reader.ts'
import { openPostgresFamilyStore } from '../../src/families/postgres/postgres-family-store.ts'
import { openPostgresJournal } from '../../src/families/postgres/postgres-journal.ts'
import { DependencyUnavailable } from '../../src/runtime/dependency-unavailable.ts'
import { ending, listAll, logIn, newUser, nextEpoch, read } from '../contract/family-bench.ts'
import { openReadyDatabase } from '../support/database.ts'
import { openTestDatabase } from '../support/postgres.ts'

async function openScene(t: Test) {
  const database = await openReadyDatabase(t, (await openTestDatabase(t)).url)
  const store = openPostgresFamilyStore(database, Date.now)
  return { store, journal: openPostgresJournal(database) }
}

const ENDED = { ended: { reason: 'revoked_by_user' } }

test('an entry that nobody applied is applied, from before the start and from after it', async (t) => {
  const { store, journal } = await openScene(t)
  const user = newUser()
  const family = await logIn(store, user)
  await journal.append({ kind: 'family', end: ending(family) })
  const applyNewEntries = openJournalReader(journal, store, Date.now)
  await applyNewEntries()
  t.match(await read(store, family), ENDED)

  await journal.append({ kind: 'user', record: nextEpoch(user) })
  await applyNewEntries()
  t.strictSame((await listAll(store, user.userId)).user, nextEpoch(user))
})

test('an entry that the store could not take comes again, one that it took does not', async (t) => {
  const { store, journal } = await openScene(t)
  const family = await logIn(store)
  await journal.append({ kind: 'family', end: ending(family) })
  let isAway = true
  let ends = 0
  const flaky: typeof store = {
    ...store,
    async end(input) {
      if (isAway) throw new DependencyUnavailable('postgresql', 'away')
      ends += 1
      return await store.end(input)
    },
  }
  const applyNewEntries = openJournalReader(journal, flaky, Date.now)
  await t.rejects(applyNewEntries(), { name: 'DependencyUnavailable' })
  t.equal((await read(store, family))?.ended, undefined)
  isAway = false
  await applyNewEntries()
  await applyNewEntries()
  t.equal(ends, 1)
  t.match(await read(store, family), ENDED)
})
