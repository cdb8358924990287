// A Redis that was emptied, and a call that makes a family again while another ends it: the orders that
// test/model/ has found.

import { type Test, test } from 'tap'
import type { Journal } from '../../src/families/journal.ts'
import { keysOf } from '../../src/families/redis/redis-keys.ts'
import type { UserId } from '../../src/users/user.ts'
import { describe, ending, newLogin, newUser, rotation } from '../contract/family-bench.ts'
import { familiesOn, openReadyStore, openTestJournal, readFamily } from '../scenes/redis-fixture.ts'
import { startRedis } from '../support/redis.ts'

async function openScene(t: Test) {
  const server = await startRedis(t)
  const { journal } = await openTestJournal(t)
  const store = await openReadyStore(t, server.url, journal)
  const families = familiesOn(store, journal, new Map())
  const login = newLogin(newUser(), {}, Date.now())
  await families.create(login)
  const family = await readFamily(store, login)
  const lose = async (userId: UserId) => {
    const keys = (await server.cli('KEYS', `${keysOf({ userId }).user}*`)) as string[]
    await server.cli('DEL', ...keys)
  }
  const end = ending(family, { atMs: Date.now() })
  const over = (journal: Journal) => familiesOn(store, journal, new Map())
  return { journal, store, families, login, family, lose, end, over }
}

function openSignal() {
  let give = () => {}
  const given = new Promise<void>((resolve) => {
    give = resolve
  })
  return { given, give }
}

test('a session that is ended while a call makes it again stays ended', async (t) => {
  const { journal, families, family, lose, end, over } = await openScene(t)
  await lose(family.userId)
  const [isRead, isGoingOn] = [openSignal(), openSignal()]
  const slow: Journal = {
    ...journal,
    async findLogin(familyId) {
      const login = await journal.findLogin(familyId)
      isRead.give()
      await isGoingOn.given
      return login
    },
  }
  const late = over(slow).rotate(rotation(family))
  await isRead.given
  // By an instance whose gate was closed, so that it could not look at the store first.
  await journal.append({ kind: 'family', end })
  t.equal(await families.end(end), 'unknown')
  isGoingOn.give()
  t.equal(describe(await late), 'inactive family_unknown')
  t.equal(describe(await families.rotate(rotation(family))), 'inactive family_unknown')
})

test('an end by somebody else is no end: the family is made again', async (t) => {
  const { store, families, family, lose, end } = await openScene(t)
  await lose(family.userId)
  t.equal(await store.end({ ...end, secretHash: 'A'.repeat(43) }), 'unknown')
  t.equal(describe(await families.rotate(rotation(family))), 'rotated')
})

test('a repeated end is told to a store that was given the login again meanwhile', async (t) => {
  const { journal, store, login, family, lose, end, over } = await openScene(t)
  t.equal(await store.end(end), 'ended', 'while PostgreSQL was away')
  const emptying: Journal = {
    ...journal,
    async append(payload, keepUntilMs) {
      await lose(family.userId)
      await store.create(login)
      return await journal.append(payload, keepUntilMs)
    },
  }
  t.equal(await over(emptying).end(end), 'ended')
  t.equal(describe(await store.rotate(rotation(family))), 'inactive family_ended')
})
