// Users in a real PostgreSQL: names are unique by key, ids are never used again, lists are exact
// (docs/semantics.md §6).

import { randomUUID } from 'node:crypto'
import { test } from 'tap'
import { parseCursor } from '../../src/database/keyset-page.ts'
import type { UserFilter, UserId } from '../../src/users/user.ts'
import { parseUserId } from '../../src/users/user-id.ts'
import { emailOf, newUser, openUserFixture, present, usernameOf } from '../scenes/user-fixture.ts'

const page = { limit: 50, after: undefined }

test('a new user is what was given, active, with a fresh id', async (t) => {
  const { users } = await openUserFixture(t)
  const user = await users.create({ ...newUser('Alice'), roles: ['a', 'b'], emailVerified: true })
  t.match(user, {
    username: 'Alice',
    email: 'Alice@example.org',
    emailVerified: true,
    status: 'active',
    roles: ['a', 'b'],
  })
  t.equal(parseUserId(user.id), user.id)
  t.same(user.createdAt, user.passwordChangedAt)
  t.same(await users.findById(user.id), user)
  t.same(await users.loadRecord(user.id), {
    userId: user.id,
    epoch: 0,
    status: 'active',
    roles: ['a', 'b'],
    version: 0,
    epochLog: [],
    username: 'Alice',
  })
  t.equal(await users.findById(randomUUID() as UserId), undefined)
  t.equal(await users.loadRecord(randomUUID() as UserId), undefined)
})

test('ids are UUIDs in lower case, the nil one refused', async (t) => {
  const id = randomUUID()
  t.equal(parseUserId(id.toUpperCase()), id)
  const nil = '00000000-0000-0000-0000-000000000000'
  for (const text of ['', nil, id.slice(1), `${id}0`, `{${id}}`, id.replaceAll('-', ''), 'c_x']) {
    t.equal(parseUserId(text), undefined, text)
  }
})

test('names are unique by key: NFKC and case make no difference', async (t) => {
  const { users } = await openUserFixture(t)
  const zoe = await users.create(newUser('Zoë'))
  const taken = (pointer: string) => ({ name: 'AlreadyTaken', pointer })
  for (const same of ['Zoë', 'zoë', 'ZOE\u0308', 'Ｚｏë']) {
    const user = { ...newUser('other'), username: usernameOf(same) }
    await t.rejects(users.create(user), taken('/username'), same)
  }
  for (const same of ['ZOË@EXAMPLE.ORG', 'zoe\u0308＠example.org']) {
    await t.rejects(users.create({ ...newUser('other'), email: emailOf(same) }), taken('/email'))
  }
  await t.rejects(users.create({ ...newUser('other'), id: zoe.id }), taken('/id'))
  await users.create(newUser('other'))
  await t.rejects(users.patch(zoe.id, { username: usernameOf('OTHER') }), taken('/username'))
  await t.rejects(users.patch(zoe.id, { email: emailOf('Other@example.org') }), taken('/email'))
  t.same(await users.findById(zoe.id), zoe)
  const renamed = await users.patch(zoe.id, { username: usernameOf('ZOË') })
  t.equal(renamed?.username, 'ZOË', 'one keeps a name in another case')
})

test('of concurrent creations under one name exactly one succeeds', async (t) => {
  const { users } = await openUserFixture(t)
  const attempts = Array.from({ length: 8 }, (_, index) =>
    users.create({ ...newUser(`user${index}`), username: usernameOf(index % 2 ? 'Bob' : 'bOB') }),
  )
  const settled = await Promise.allSettled(attempts)
  t.equal(settled.filter(({ status }) => status === 'fulfilled').length, 1)
  for (const attempt of settled) {
    if (attempt.status === 'rejected') t.match(attempt.reason, { pointer: '/username' })
  }
  t.equal((await users.list({}, page)).items.length, 1)
})

test('a deleted user is nowhere; the names are free again, the id never', async (t) => {
  const { users, database } = await openUserFixture(t)
  const { id } = await users.create({ ...newUser('Carol'), roles: ['a'] })
  await users.delete(id)
  t.equal(await users.findById(id), undefined)
  t.equal(await users.findForLogin({ usernameKey: 'carol' }), undefined)
  t.equal(await users.findCredentials(id), undefined)
  t.same((await users.list({}, page)).items, [])
  t.equal(await users.patch(id, { roles: [] }), undefined)
  t.equal(await users.setPassword(id, 'x'), false)
  t.equal(await users.logoutEverywhere(id), false)
  t.match(await users.loadRecord(id), { status: 'deleted', epoch: 1, version: 1, roles: [] })
  const { rows } = await database.pool.query('SELECT * FROM users')
  t.notOk(JSON.stringify(rows).toLowerCase().includes('carol'), 'no name, email or hash is left')
  await t.rejects(users.create({ ...newUser('Carol'), id }), {
    name: 'AlreadyTaken',
    pointer: '/id',
  })
  const again = await users.create(newUser('Carol'))
  t.not(again.id, id)
  await users.delete(randomUUID() as UserId)
})

test('a login finds user, hash and record by either key', async (t) => {
  const { users } = await openUserFixture(t)
  const user = await users.create(newUser('Dave'))
  const found = await users.findForLogin({ usernameKey: 'dave' })
  t.same(found?.user, user)
  t.equal(found?.passwordHash, 'hash of Dave')
  t.equal(found?.record.userId, user.id)
  t.same(await users.findForLogin({ emailKey: 'dave@example.org' }), found)
  t.same(await users.findCredentials(user.id), found)
  t.equal(await users.findForLogin({ usernameKey: 'Dave' }), undefined, 'keys are exact')
})

test('lists are oldest first, resume after a row, and filter exactly', async (t) => {
  const { users, database } = await openUserFixture(t)
  const names = ['u1', 'u2', 'u3', 'u4', 'u5']
  for (const name of names) await users.create(newUser(name))
  // Three of one instant: the id decides.
  await database.pool.query(
    `UPDATE users SET created_at = '2030-01-02' WHERE username IN ('u2', 'u3', 'u4')`,
  )
  const { items: all, nextCursor } = await users.list({}, page)
  t.equal(all.length, 5)
  t.equal(nextCursor, null)
  for (const [index, { createdAt: at, id }] of all.entries()) {
    const rest = all.slice(index + 1)
    const found = await users.list({}, { limit: 2, after: { at, id } })
    t.same(found.items, rest.slice(0, 2))
    const last = found.items.at(-1)
    const cursor = last && { at: last.createdAt, id: last.id }
    t.same(parseCursor(found.nextCursor ?? ''), rest.length > 2 ? cursor : undefined)
  }
  const { id } = present(all[3])
  await users.patch(id, { status: 'disabled' })
  const idsOf = async (filter: UserFilter) =>
    (await users.list(filter, page)).items.map((user) => user.id)
  t.same(await idsOf({ status: 'disabled' }), [id])
  t.equal((await idsOf({ status: 'active' })).length, 4)
  t.equal((await idsOf({ username: 'U1' })).length, 1)
  t.equal((await idsOf({ email: 'u1@example.org', username: 'u1' })).length, 1)
  t.same(await idsOf({ username: 'u' }), [])
  for (const name of ['', 'no name', '@']) {
    t.same(await idsOf({ username: name }), [], name)
    t.same(await idsOf({ email: name }), [], name)
  }
})

test('a hash is replaced only while it is the one that was verified', async (t) => {
  const { users } = await openUserFixture(t)
  const before = await users.create(newUser('Erin'))
  await users.replaceHash(before.id, 'another hash', 'stale')
  await users.replaceHash(before.id, 'hash of Erin', 'new hash')
  const after = await users.findCredentials(before.id)
  t.equal(after?.passwordHash, 'new hash')
  t.same(after?.user, before)
  t.match(after?.record, { epoch: 0, version: 0 })
})
