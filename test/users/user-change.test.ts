// What each change leaves in record, journal and family store, and that none is lost to another
// (docs/semantics.md §3).

import { test } from 'tap'
import { DependencyUnavailable } from '../../src/runtime/dependency-unavailable.ts'
import type { KeptFamilyId } from '../../src/users/user.ts'
import { emailOf, newUser, openUserFixture, present, usernameOf } from '../scenes/user-fixture.ts'

test('status and roles make a new version; disabling also a new epoch', async (t) => {
  const { users, readJournal } = await openUserFixture(t)
  const { id } = await users.create(newUser('alice'))
  const stateAfter = async (patch: Parameters<typeof users.patch>[1]) => {
    await users.patch(id, patch)
    const { epoch, version } = present(await users.loadRecord(id))
    return [epoch, version, (await readJournal()).at(-1)?.record.version]
  }
  t.same(await stateAfter({ roles: ['a'] }), [0, 1, 1])
  t.same(await stateAfter({ roles: ['a'] }), [0, 1, 1], 'the same roles are no change')
  t.same(await stateAfter({ status: 'disabled' }), [1, 2, 2])
  t.same(await stateAfter({ status: 'disabled' }), [1, 2, 2], 'nor is disabling again')
  t.same(await stateAfter({ status: 'active' }), [1, 3, 3], 'enabling revives no family')
  t.same(await stateAfter({ status: 'active' }), [1, 3, 3])
  t.same(await stateAfter({ status: 'disabled', roles: [] }), [2, 4, 4], 'both in one version')
  t.same(await stateAfter({ username: usernameOf('bob') }), [2, 5, 5], 'the name is in the record')
  t.same(await stateAfter({ username: usernameOf('bob'), emailVerified: true }), [2, 5, 5])
  t.equal((await users.loadRecord(id))?.username, 'bob')
})

test('an email changes no record and no journal, and only a real change moves updatedAt', async (t) => {
  const { users, readJournal } = await openUserFixture(t)
  const user = await users.create(newUser('alice'))
  const same = { username: usernameOf('alice'), emailVerified: false, roles: [] }
  t.same(await users.patch(user.id, same), user)
  t.same(await users.patch(user.id, {}), user)
  const email = emailOf('New@example.org')
  const patched = await users.patch(user.id, { email, emailVerified: true })
  t.match(patched, { username: 'alice', email: 'New@example.org', emailVerified: true })
  t.ok(patched && patched.updatedAt > user.updatedAt)
  t.same(await readJournal(), [])
})

test('every end of sessions is an epoch with its reason, journalled and published', async (t) => {
  const { users, readJournal, published } = await openUserFixture(t)
  const { id, passwordChangedAt } = await users.create(newUser('alice'))
  t.equal(await users.setPassword(id, 'second hash'), true)
  const kept = '0190b5a8-0000-7000-8000-000000000001' as KeptFamilyId
  const from = { keptFamilyId: kept, check: () => {} }
  t.equal(await users.setPassword(id, 'third hash', undefined, from), true)
  t.equal(await users.logoutEverywhere(id, kept), true)
  t.equal(await users.logoutEverywhere(id), true)
  const user = await users.patch(id, { status: 'disabled' })
  t.ok(user && user.passwordChangedAt > passwordChangedAt)
  await users.delete(id)

  const record = await users.loadRecord(id)
  t.match(record, { epoch: 6, version: 6, status: 'deleted' })
  t.same(
    record?.epochLog.map(({ epoch, reason }) => [epoch, reason]),
    [
      [1, 'password_changed'],
      [2, 'password_changed'],
      [3, 'logged_out_everywhere'],
      [4, 'logged_out_everywhere'],
      [5, 'user_disabled'],
      [6, 'user_disabled'],
    ],
  )
  const moments = record?.epochLog.map(({ atMs }) => atMs) ?? []
  t.same(moments, moments.toSorted(), 'milliseconds of the service clock')
  const journal = await readJournal()
  t.same(journal, [{ kind: 'user', record }], 'the newest, which has all of it')
  t.same(published.at(-1), record)
  t.same(
    record?.epochLog.map(({ keptFamilyId }) => keptFamilyId),
    [undefined, kept, kept, undefined, undefined, undefined],
  )
})

test('the log keeps the newest 32 epochs', async (t) => {
  const { users } = await openUserFixture(t)
  const { id } = await users.create(newUser('alice'))
  for (let count = 0; count < 35; count += 1) await users.logoutEverywhere(id)
  const { epoch, epochLog } = present(await users.loadRecord(id))
  t.equal(epoch, 35)
  t.same(
    epochLog.map((start) => start.epoch),
    Array.from({ length: 32 }, (_, i) => i + 4),
  )
})

test('changing a password is judged by the user as the change finds it', async (t) => {
  const { users } = await openUserFixture(t)
  const { id } = await users.create(newUser('alice'))
  const keptFamilyId = '0190b5a8-0000-7000-8000-000000000001' as KeptFamilyId
  const check = (_user: unknown, { epoch }: { epoch: number }) => {
    if (epoch > 0) throw new Error('too late')
  }
  const changes = ['a', 'b', 'c'].map((hash) =>
    users.setPassword(id, hash, undefined, { keptFamilyId, check }),
  )
  const outcomes = (await Promise.allSettled(changes)).map(({ status }) => status)
  t.same(outcomes.sort(), ['fulfilled', 'rejected', 'rejected'], 'of three at once one wins')
  t.match(await users.loadRecord(id), { epoch: 1, version: 1, epochLog: [{ keptFamilyId }] })
})

test('concurrent changes of one user lose nothing', async (t) => {
  const { users, readJournal } = await openUserFixture(t)
  const { id } = await users.create(newUser('alice'))
  await Promise.all([
    users.patch(id, { roles: ['a'] }),
    users.patch(id, { status: 'disabled' }),
    users.patch(id, { emailVerified: true }),
    users.setPassword(id, 'new hash'),
    users.logoutEverywhere(id),
  ])
  t.match(await users.findCredentials(id), {
    user: { emailVerified: true, status: 'disabled', roles: ['a'] },
    record: { epoch: 3, version: 4, roles: ['a'], status: 'disabled' },
    passwordHash: 'new hash',
  })
  const versions = (await readJournal()).map((change) => change.record.version)
  t.same(versions, [4], 'the journal has the last of the versions')
})

test('a family store that is away rejects, the change stands, and a repetition tells it', async (t) => {
  const fixture = await openUserFixture(t)
  const { users, published } = fixture
  const { id } = await users.create(newUser('alice'))
  const away = new DependencyUnavailable('redis', 'away')
  fixture.failNextPublish(away)
  await t.rejects(users.patch(id, { status: 'disabled' }), away)
  t.match(await users.findById(id), { status: 'disabled' })
  t.equal((await fixture.readJournal()).length, 1)
  t.same(published, [])
  await users.patch(id, { status: 'disabled' })
  t.same(published, [await users.loadRecord(id)])

  fixture.failNextPublish(away)
  await t.rejects(users.delete(id), away)
  await users.delete(id)
  t.match(published.at(-1), { status: 'deleted' })
})

test('a journal that cannot be written undoes the change', async (t) => {
  const { users, database, published } = await openUserFixture(t)
  const { id } = await users.create(newUser('alice'))
  await database.pool.query('ALTER TABLE journal RENAME TO journal_away')
  await t.rejects(users.patch(id, { status: 'disabled' }))
  t.match(await users.findById(id), { status: 'active' })
  t.same(published, [])
})
