// The gate: what the journal holds is in force in Redis before the first family command after any
// connect, and stays so between connects (docs/semantics.md §4, C61).

import { randomUUID } from 'node:crypto'
import { test } from 'tap'
import type { FamilyId } from '../../../src/families/family.ts'
import { keysOf } from '../../../src/families/redis/redis-keys.ts'
import {
  ending,
  keeping,
  logIn,
  newUser,
  nextEpoch,
  rotateOn,
  T0,
} from '../../contract/family-bench.ts'
import {
  firstAnswer,
  firstRotation,
  openReadyStore,
  openStore,
  openTestJournal,
  rejectionOf,
} from '../../scenes/redis-fixture.ts'
import { startRedis } from '../../support/redis.ts'

const HOUR_MS = 60 * 60_000
const MARK = 'lineage:{journal}:applied'

test('what was journalled before the start is in force before the first rotation', async (t) => {
  const server = await startRedis(t)
  const { journal } = await openTestJournal(t)
  const family = await logIn(await openReadyStore(t, server.url, journal))
  await journal.append({ kind: 'family', end: ending(family) })
  const { store } = openStore(t, server.url, journal)
  t.equal(await firstRotation(store, family), 'inactive family_ended')
})

test('what was journalled while Redis was away is in force when it is back', async (t) => {
  const server = await startRedis(t)
  const { journal } = await openTestJournal(t)
  const store = await openReadyStore(t, server.url, journal)
  const user = newUser()
  const [first, second] = [await logIn(store), await logIn(store, user)]
  const owner = { userId: user.userId }

  await server.stop()
  await journal.append({ kind: 'family', end: ending(first) })
  await journal.append({ kind: 'user', record: nextEpoch(user, 'user_disabled') })
  const token = { owner, jti: 'jti', expiresAtMs: Date.now() + HOUR_MS }
  await journal.append({ kind: 'token', token })
  await server.start()

  const answers = await Promise.all([
    firstRotation(store, first),
    firstRotation(store, second),
    firstAnswer(() => store.inspect({ owner, jti: 'jti' })),
  ])
  t.match(answers, ['inactive family_ended', 'inactive user_inactive', { tokenRevoked: true }])
})

test('what a server confirmed and lost in a crash is in force when it is back', async (t) => {
  const server = await startRedis(t, { args: ['--appendonly', 'no'] })
  const { journal } = await openTestJournal(t)
  const store = await openReadyStore(t, server.url, journal)
  const user = newUser()
  const [ended, kept, lost] = [
    await logIn(store),
    await logIn(store, user),
    await logIn(store, user),
  ]
  await server.cli('SAVE')

  const record = nextEpoch(user)
  await journal.append({ kind: 'family', end: ending(ended) })
  await journal.append({ kind: 'user', record: keeping(record, kept) })
  t.equal(await store.end(ending(ended)), 'ended')
  await store.putUser(keeping(record, kept))
  await server.kill()
  await server.start()

  const answers = [ended, lost, kept].map((family) => firstRotation(store, family))
  t.strictSame(await Promise.all(answers), [
    'inactive family_ended',
    'inactive user_epoch_passed',
    'rotated',
  ])
})

test('two epochs of "all but this" are re-applied in their order', async (t) => {
  const server = await startRedis(t)
  const { journal } = await openTestJournal(t)
  const user = newUser()
  const kept = await logIn(await openReadyStore(t, server.url, journal), user)
  let record = user
  for (let i = 0; i < 20; i += 1) {
    record = keeping(nextEpoch(record), kept)
    await journal.append({ kind: 'user', record })
  }
  const { store } = openStore(t, server.url, journal)
  t.equal(await firstRotation(store, kept), 'rotated')
})

test('the gate stays closed while the journal cannot be read, for family commands only', async (t) => {
  const server = await startRedis(t)
  const { journal, wire } = await openTestJournal(t)
  const { store, replayFailures } = openStore(t, server.url, journal)
  await store.ready(10_000)
  const [family, ended] = [await logIn(store), await logIn(store)]
  await journal.append({ kind: 'family', end: ending(family) })

  await wire.cut()
  await server.restart()
  // The first answer shows that Redis is back: the journal's own commands pass.
  t.equal(await firstAnswer(() => store.end(ending(ended))), 'ended')
  const owner = { userId: family.userId }
  for (let round = 0; round < 20; round += 1) {
    const calls = [
      logIn(store),
      rotateOn(store, family),
      store.inspect({ owner, familyId: family.familyId }),
      store.index(family.userId),
      store.ping(),
    ]
    for (const error of await Promise.all(calls.map(rejectionOf))) {
      t.match(error.message, /^redis is unavailable: the journal is not re-applied yet$/)
    }
    await new Promise((resolve) => setTimeout(resolve, 25))
  }
  t.match(replayFailures[0], /^postgresql is unavailable/)
  await wire.heal()
  t.equal(await firstRotation(store, family), 'inactive family_ended')
})

test('an instance begins where its Redis has come to, and at the beginning without a mark', async (t) => {
  const server = await startRedis(t)
  const { journal, appendAt } = await openTestJournal(t)
  const before = await openReadyStore(t, server.url, journal)
  const [old, known, missed] = [await logIn(before), await logIn(before), await logIn(before)]
  await appendAt(900 * HOUR_MS, old)
  const first = openStore(t, server.url, journal)
  t.equal(await firstRotation(first.store, old), 'inactive family_ended', 'no mark: everything')

  await server.cli('SET', MARK, String(Date.now() - 2 * HOUR_MS))
  await appendAt(3 * HOUR_MS, known)
  await appendAt(HOUR_MS, missed)
  const { store } = openStore(t, server.url, journal)
  t.equal(await firstRotation(store, missed), 'inactive family_ended')
  t.equal(await firstRotation(store, known), 'rotated', 'which Redis said that it had')
})

test('a reconnect reads and applies what the mark does not cover, however long the journal', async (t) => {
  const server = await startRedis(t)
  const { journal, appendAt } = await openTestJournal(t)
  const read: number[] = []
  const counted = {
    async *readSince(sinceMs: number) {
      for await (const page of journal.readSince(sinceMs)) {
        read.push(...page.map(({ atMs }) => atMs))
        yield page
      }
    },
  }
  const store = await openReadyStore(t, server.url, counted)
  const family = await logIn(store)
  for (let i = 2; i < 42; i += 1) {
    await appendAt(i * 20_000, { ...family, familyId: randomUUID() as FamilyId })
  }
  await appendAt(0, { ...family, familyId: randomUUID() as FamilyId })
  await store.applyNewEntries()
  t.equal(read.length, 41, 'all of it once')
  read.length = 0
  const mark = Number(await server.cli('GET', MARK))
  await server.cli('CONFIG', 'RESETSTAT')
  await server.cli('CLIENT', 'KILL', 'TYPE', 'normal')
  await firstAnswer(() => store.ping())
  t.strictSame(read.length, 2, 'then the minute before the mark')
  t.ok(read.every((atMs) => atMs >= mark - 60_000))
  const stats = String(await server.cli('INFO', 'commandstats'))
  t.equal(/cmdstat_evalsha:calls=(\d+)/.exec(stats)?.[1], '2', 'a script for each')
})

test('the poll brings what another instance did not live to deliver, once', async (t) => {
  const server = await startRedis(t)
  const { journal, appendAt } = await openTestJournal(t)
  const store = await openReadyStore(t, server.url, journal)
  const [first, second, late] = [await logIn(store), await logIn(store), await logIn(store)]
  await appendAt(10_000, first)
  await store.applyNewEntries()
  t.equal(await firstRotation(store, first), 'inactive family_ended')
  // Committed after a younger one had been seen.
  await appendAt(20_000, late)
  await appendAt(0, second)
  await store.applyNewEntries()
  for (const family of [second, late]) {
    t.equal(await firstRotation(store, family), 'inactive family_ended')
  }
  const writes = await server.cli('INFO', 'commandstats')
  await store.applyNewEntries()
  const calls = (stats: unknown) => /cmdstat_evalsha:calls=(\d+)/.exec(String(stats))?.[1]
  t.equal(calls(await server.cli('INFO', 'commandstats')), calls(writes))
})

test('a poll that fails says so and is made up for by the next', async (t) => {
  const server = await startRedis(t)
  const { journal, wire, appendAt } = await openTestJournal(t)
  const store = await openReadyStore(t, server.url, journal)
  const family = await logIn(store)
  await appendAt(0, family)
  await wire.cut()
  t.equal((await rejectionOf(store.applyNewEntries())).dependency, 'postgresql')
  await wire.heal()
  await server.stop()
  t.equal((await rejectionOf(firstPostgresAnswer(store))).dependency, 'redis')
  await server.start()
  await firstAnswer(() => store.applyNewEntries())
  t.equal(await firstRotation(store, family), 'inactive family_ended')
})

test('one reading of the journal at a time, and page by page', async (t) => {
  const server = await startRedis(t)
  let [reading, most, pages] = [0, 0, 0]
  const page = Array.from({ length: 500 }, (_, i) => ({
    id: BigInt(i),
    atMs: Date.now(),
    payload: { kind: 'user', record: newUser() } as const,
  }))
  const journal = {
    async *readSince() {
      reading += 1
      most = Math.max(most, reading)
      try {
        for (let i = 0; i < 5; i += 1) {
          pages += 1
          yield page
        }
      } finally {
        reading -= 1
      }
    },
  }
  const store = await openReadyStore(t, server.url, journal)
  await Promise.all([1, 2, 3].map(() => store.applyNewEntries()))
  t.equal(pages, 10, 'calls of the poll that meet are one')
  for (let round = 0; round < 2; round += 1) {
    await server.restart()
    await firstAnswer(() => {
      store.applyNewEntries().catch(() => {})
      return store.ping()
    })
  }
  t.equal(most, 1)
})

test('a server without memory left is served from all the same, with a mark and without', async (t) => {
  const server = await startRedis(t)
  const { journal, appendAt } = await openTestJournal(t)
  const store = await openReadyStore(t, server.url, journal)
  const family = await logIn(store)
  const { userId, familyId } = family
  const find = () => store.inspect({ owner: { userId }, familyId })
  await server.cli('CONFIG', 'SET', 'maxmemory', '1')
  for (const commands of [['PING'], ['DEL', MARK]]) {
    await server.cli(...commands)
    // What needs no memory: an end of a family that was never there.
    await appendAt(0, { ...family, familyId: randomUUID() as FamilyId })
    await server.cli('CLIENT', 'KILL', 'TYPE', 'normal')
    t.match(await firstAnswer(find), { family })
    for (const _ of ['once', 'twice']) await store.applyNewEntries()
    await find()
  }
  await server.cli('CONFIG', 'SET', 'maxmemory', '0')
  await appendAt(0, family)
  await store.applyNewEntries()
  t.ok(Number(await server.cli('GET', MARK)) > 0)
})

/** The pool needs a moment to notice that its connections were cut. */
async function firstPostgresAnswer(store: { applyNewEntries(): Promise<void> }): Promise<void> {
  for (;;) {
    const error = await rejectionOf(store.applyNewEntries())
    if (error.dependency === 'redis') throw error
  }
}

test('a copy of a user lives as long as the families that need it', async (t) => {
  const server = await startRedis(t)
  const store = await openReadyStore(t, server.url)
  const user = newUser()
  const family = await logIn(store, user, { absoluteExpiresAtMs: T0 + 1_000 * HOUR_MS })
  const ttlOf = async (key: string) => Number(await server.cli('PTTL', key))
  const copy = keysOf(user).user
  await server.cli('DEL', copy)
  await store.putUser(user)
  t.ok((await ttlOf(copy)) <= 24 * HOUR_MS)
  await rotateOn(store, family)
  t.ok((await ttlOf(copy)) > 999 * HOUR_MS, 'a refresh prolongs it')
  await store.putUser(nextEpoch(user))
  t.ok((await ttlOf(copy)) > 999 * HOUR_MS, 'a change does not shorten it')
  for (const key of (await server.cli('KEYS', `${copy}*`)) as string[]) {
    t.ok((await ttlOf(key)) > 0, `${key.slice(copy.length)} goes by itself`)
  }
})
