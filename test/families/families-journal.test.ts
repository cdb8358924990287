// What is journalled, and what is not: ends once, in whatever order PostgreSQL and Redis fail, and
// logins for as long as a failover may lose them.

import { type Test, test } from 'tap'
import type { ClientId } from '../../src/clients/client.ts'
import type { EndFamily, FamilyId, RevokedToken } from '../../src/families/family.ts'
import { LIVE_FAMILIES_MAX } from '../../src/families/family.ts'
import { keysOf } from '../../src/families/redis/redis-keys.ts'
import { hashFamilySecret, newFamilySecret } from '../../src/families/refresh-token-string.ts'
import { DependencyUnavailable } from '../../src/runtime/dependency-unavailable.ts'
import type { UserId, UserRecord } from '../../src/users/user.ts'
import {
  describe,
  listAll,
  newLogin,
  newUser,
  nextEpoch,
  rotation,
} from '../contract/family-bench.ts'
import {
  familiesOn,
  openReadyStore,
  openTestJournal,
  readFamily,
  rejectionOf,
} from '../scenes/redis-fixture.ts'
import { countComparisons } from '../support/counted-comparisons.ts'
import { readAll } from '../support/journal.ts'
import { startRedis } from '../support/redis.ts'
import { until } from '../support/until.ts'

const HOUR_MS = 3_600_000

async function openScene(t: Test) {
  const server = await startRedis(t)
  const { journal, wire } = await openTestJournal(t)
  const store = await openReadyStore(t, server.url, journal)
  const users = new Map<UserId, UserRecord>()
  const families = familiesOn(store, journal, users)
  const kinds = async () => (await readAll(journal, 0)).map(({ payload }) => payload.kind)
  /** A login of now, which the real clock judges. */
  const make = async (user = newUser(), livesMs = HOUR_MS) => {
    const nowMs = Date.now()
    const expiry = { idleExpiresAtMs: nowMs + livesMs, absoluteExpiresAtMs: nowMs + livesMs }
    const login = newLogin(user, expiry, nowMs)
    const { outcome } = await families.create(login)
    if (outcome !== 'created') throw new Error(outcome)
    return { login, family: await readFamily(store, login) }
  }
  /** As a failover does that loses all of one user. */
  const lose = async (userId: UserId) => {
    const keys = (await server.cli('KEYS', `${keysOf({ userId }).user}*`)) as string[]
    await server.cli('DEL', ...keys)
  }
  return { server, journal, wire, store, families, users, kinds, make, lose }
}

const endNow = (
  { userId, familyId }: { userId: UserId; familyId: FamilyId },
  conditions: Partial<EndFamily> = {},
): EndFamily => ({
  userId,
  familyId,
  reason: 'revoked_by_client',
  atMs: Date.now(),
  ...conditions,
})

test('only what changes something is journalled, and once', async (t) => {
  const { families, kinds, make } = await openScene(t)
  const { family } = await make()
  const { family: brief } = await make(newUser(), 1)
  await until('its expiry', () => Date.now() > brief.absoluteExpiresAtMs)
  const before = await kinds()
  const { clientId, secretHash } = family
  const wrong = hashFamilySecret(newFamilySecret())
  const calls: [EndFamily, string][] = [
    [endNow(brief), 'already_ended'],
    [endNow(family, { clientId: 'mobile' as ClientId }), 'other_client'],
    [endNow(family, { clientId, secretHash: wrong }), 'secret_wrong'],
    [endNow({ ...family, familyId: brief.familyId }), 'unknown'],
    [endNow(newLogin(newUser()).family as never, { userId: family.userId }), 'unknown'],
  ]
  const comparisons = countComparisons(t)
  for (const [call, outcome] of calls) {
    const compared = await comparisons(async () => t.equal(await families.end(call), outcome))
    const isCompared = call.secretHash !== undefined
    t.equal(compared, isCompared ? 1 : 0, `in constant time, and before anything else: ${outcome}`)
  }
  t.strictSame(await kinds(), before)

  const same = Array.from({ length: 8 }, () => endNow(family, { clientId, secretHash }))
  const outcomes = await Promise.all(same.map((call) => families.end(call)))
  t.equal(outcomes.filter((outcome) => outcome === 'ended').length, 1)
  for (const call of same) t.equal(await families.end(call), 'already_ended')
  t.strictSame(await kinds(), ['family'], 'one row, and the login is no more')

  const token: RevokedToken = { owner: { clientId }, jti: 'x', expiresAtMs: Date.now() + HOUR_MS }
  t.equal(await families.revokeToken(token), true)
  for (let i = 0; i < 8; i += 1) t.equal(await families.revokeToken(token), false)
  t.equal(await families.revokeToken({ ...token, jti: 'y', expiresAtMs: Date.now() - 1 }), false)
  t.strictSame(await kinds(), ['family', 'token'])
})

test('a revocation that PostgreSQL missed is journalled by the repetition, and told then', async (t) => {
  const { families, store, wire, kinds, make } = await openScene(t)
  const { family } = await make()
  const { clientId } = family
  const token: RevokedToken = { owner: { clientId }, jti: 'x', expiresAtMs: Date.now() + HOUR_MS }
  await wire.cut()
  for (let round = 0; round < 2; round += 1) {
    const calls = [families.end(endNow(family, { clientId })), families.revokeToken(token)]
    for (const call of calls) t.equal((await rejectionOf(call)).dependency, 'postgresql')
  }
  t.equal(describe(await store.rotate(rotation(family))), 'inactive family_ended')
  t.ok((await store.inspect({ owner: { clientId }, jti: 'x' })).tokenRevoked)
  await wire.heal()
  t.equal(
    await until('PostgreSQL', () => families.end(endNow(family)).catch(() => false as const)),
    'ended',
  )
  t.equal(await families.revokeToken(token), true)
  t.equal(await families.end(endNow(family)), 'already_ended')
  t.equal(await families.revokeToken(token), false)
  t.strictSame(await kinds(), ['family', 'token'])
})

test('a revocation that Redis missed is journalled all the same', async (t) => {
  const { families, server, store, make } = await openScene(t)
  const { family } = await make()
  const { clientId, secretHash } = family
  await server.stop()
  const ends = [
    endNow(family, { clientId: 'mobile' as ClientId }),
    endNow(family, { clientId, secretHash }),
  ]
  for (const end of ends) t.equal((await rejectionOf(families.end(end))).dependency, 'redis')
  await server.start()
  const answer = await until('Redis', () =>
    store.rotate(rotation(family)).catch(() => false as const),
  )
  t.equal(describe(answer), 'inactive family_ended', 'another client stood in nobody’s way')
})

test('a login that a failover took along is made again, an ended one is not', async (t) => {
  const { families, make, lose, store } = await openScene(t)
  const [live, ended, old] = [await make(), await make(), await make()]
  for (const { family } of [live, ended, old]) await lose(family.userId)
  t.equal(await families.end(endNow(ended.family)), 'ended', 'found again to be ended')
  await lose(ended.family.userId)
  const { userId, familyId } = live.family
  t.match(await families.inspect({ owner: { userId }, familyId }), { family: live.family })
  // Rotated before the failover: the token itself catches the store up.
  const ahead = rotation(live.family, { generation: 3, nowMs: Date.now() })
  t.match(await families.rotate(ahead), { outcome: 'rotated', behind: true })
  t.equal(describe(await families.rotate(rotation(ended.family))), 'inactive family_unknown')
  await store.applyNewEntries()
  t.match(await store.rotate(rotation(old.family)), { outcome: 'rotated' }, 'by the poll too')
  t.match(await store.inspect({ owner: { userId }, familyId }), { family: { generation: 4 } })
})

test('another client that ends a family while Redis is away does not make it lost', async (t) => {
  const { families, server, make, lose, kinds } = await openScene(t)
  const [{ family }, { family: ended }] = [await make(), await make()]
  for (const { userId } of [family, ended]) await lose(userId)
  await server.stop()
  const { clientId, secretHash } = ended
  const ends = [
    endNow(family, { clientId: 'mobile' as ClientId, secretHash: family.secretHash }),
    endNow(ended, { clientId, secretHash }),
  ]
  for (const end of ends) t.equal((await rejectionOf(families.end(end))).dependency, 'redis')
  t.strictSame(await kinds(), ['created', 'family', 'family'], 'one login is no more')
  await server.start()
  const rotate = () => families.rotate(rotation(family)).catch(() => false as const)
  t.match(await until('Redis', rotate), { outcome: 'rotated' })
  t.equal(describe(await families.rotate(rotation(ended))), 'inactive family_unknown')
})

test('whether a family was lost is never guessed: without the journal nobody is refused', async (t) => {
  const { families, make, lose, wire } = await openScene(t)
  const { family } = await make()
  await lose(family.userId)
  const { userId, familyId } = family
  const rotate = () => families.rotate(rotation(family))
  await wire.cut()
  const calls = [rotate(), families.inspect({ owner: { userId }, familyId })]
  for (const call of calls) t.equal((await rejectionOf(call)).dependency, 'postgresql')
  await wire.heal()
  const answer = await until('PostgreSQL', () => rotate().catch(() => false as const))
  t.match(answer, { outcome: 'rotated' })
})

test('a lost family is made again for its user of now, though the store knows nothing', async (t) => {
  const { families, users, make, server } = await openScene(t)
  const user = newUser()
  const [{ family }, other] = [await make(user), await make()]
  await server.cli('FLUSHALL')
  users.set(user.userId, nextEpoch(user, 'user_disabled', Date.now()))
  t.equal(describe(await families.rotate(rotation(family))), 'inactive family_unknown')
  t.equal(describe(await families.rotate(rotation(other.family))), 'rotated')
})

test('what a user’s change or the limit has ended stays ended when logins come again', async (t) => {
  const { server, journal, make, store, lose } = await openScene(t)
  const user = newUser()
  const { family } = await make(user)
  const record = nextEpoch(user, 'logged_out_everywhere', Date.now())
  await journal.append({ kind: 'user', record })
  await store.putUser(record)
  const crowd = newUser()
  const first = (await make(crowd)).family
  await until('a later moment', () => Date.now() > first.rotatedAtMs)
  for (let i = 1; i < LIVE_FAMILIES_MAX; i += 1) await make(crowd)
  const last = (await make(crowd)).family
  const state = async () => ({
    epoch: describe(await store.rotate(rotation(family))),
    limit: (await listAll(store, crowd.userId)).families.filter(({ ended }) => ended).length,
    first: describe(await store.rotate(rotation(first, { generation: 9 }))),
    last: describe(await store.rotate(rotation(last, { generation: 0, graceMs: HOUR_MS }))),
  })
  t.match(await state(), {
    epoch: 'inactive user_epoch_passed',
    limit: 1,
    first: 'inactive family_ended',
  })
  for (const lost of [user, crowd]) await lose(lost.userId)
  const replayed = await openReadyStore(t, server.url, journal)
  await replayed.ready(1_000)
  t.match(await state(), {
    epoch: /inactive (user_epoch_passed|family_unknown)/,
    limit: 1,
    first: 'inactive family_ended',
    last: 'rotated',
  })
})

test('a login that failed leaves nothing to be made again', async (t) => {
  const { families, journal, kinds, store, server } = await openScene(t)
  const user = newUser()
  await store.putUser(nextEpoch(user))
  const moved = newLogin(user, {}, Date.now())
  t.equal((await families.create(moved)).outcome, 'user_moved')
  await until('no row', async () => (await kinds()).length === 0)
  await server.stop()
  const failed = newLogin(newUser(), {}, Date.now())
  t.equal((await rejectionOf(families.create(failed))).dependency, 'redis')
  await until('no row', async () => (await kinds()).length === 0)
  t.equal(await journal.findLogin(failed.family.familyId), undefined)
})

test('a replay that PostgreSQL has missed is journalled when it is back, and stays ended', async (t) => {
  const { server, journal, wire, families, kinds, make } = await openScene(t)
  const { login, family } = await make()
  const nowMs = Date.now()
  const refresh = async (of: typeof families, generation: number) =>
    describe(await of.rotate(rotation(family, { generation, graceMs: 0, nowMs })))
  t.equal(await refresh(families, 0), 'rotated')
  await wire.cut()
  t.match(await refresh(families, 0), 'replayed', 'nobody waits for PostgreSQL')
  const isAway = () =>
    families.journalMissedReplays().then(
      () => false,
      (error: unknown) => error instanceof DependencyUnavailable,
    )
  await until('what was missed', isAway)
  await wire.heal()
  await until('the journal', async () => !(await isAway()))
  t.strictSame(await kinds(), ['family'], 'and the login is no more')
  await families.journalMissedReplays()
  t.strictSame(await kinds(), ['family'], 'once')
  // A server that has lost everything.
  await server.cli('FLUSHALL')
  const other = familiesOn(
    await openReadyStore(t, server.url, journal),
    journal,
    new Map([[login.user.userId, login.user]]),
  )
  t.match(await refresh(other, 1), /^inactive/)
})
