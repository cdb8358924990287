// Logins: equal work and equal answers for every refusal, and hashes that keep up with the
// parameters (C23, C42, C43).

import { test } from 'tap'
import { OAuthError } from '../../src/oauth/oauth-error.ts'
import { NO_THROTTLE, type Throttle } from '../../src/throttle/throttle.ts'
import { authenticateUser, type LoginDependencies } from '../../src/users/authenticate-user.ts'
import {
  newUser,
  openCountingHasher,
  openUserFixture,
  type UserFixture,
} from '../scenes/user-fixture.ts'

const LIMITS = { passwordMinLength: 8, passwordMaxLength: 256 }
const PASSWORD = 'correct horse'

function openLogin(fixture: UserFixture, rest: Partial<LoginDependencies> = {}) {
  const { hasher, counts } = openCountingHasher()
  const dependencies = {
    users: fixture.users,
    hasher,
    passwordLimits: LIMITS,
    throttle: NO_THROTTLE,
    ...rest,
  }
  return {
    hasher,
    counts,
    login: (identifier: string, password: string) =>
      authenticateUser({ identifier, password, ip: '192.0.2.1' }, dependencies),
  }
}

async function refusalOf(login: Promise<unknown>): Promise<OAuthError> {
  const error = await login.then(
    () => new Error('the login was let in'),
    (reason) => reason,
  )
  if (error instanceof OAuthError) return error
  throw error
}

test('lets in by username or email in any case, with the record of that moment', async (t) => {
  const fixture = await openUserFixture(t)
  const { login, hasher } = openLogin(fixture)
  const passwordHash = await hasher.hash(PASSWORD)
  const user = await fixture.users.create({ ...newUser('Alice'), passwordHash })
  await fixture.users.logoutEverywhere(user.id)
  for (const identifier of ['alice', 'ALICE', 'Ａlice', ' alice\t', 'ALICE@example.org']) {
    const { user: found, record } = await login(identifier, PASSWORD)
    t.equal(found.id, user.id, identifier)
    t.equal(record.epoch, 1)
  }
})

test('every refusal answers the same after the same number of verifications (C42)', async (t) => {
  const fixture = await openUserFixture(t)
  const { login, hasher, counts } = openLogin(fixture)
  const passwordHash = await hasher.hash(PASSWORD)
  for (const name of ['alice', 'blocked', 'gone']) {
    const { id } = await fixture.users.create({ ...newUser(name), passwordHash })
    if (name === 'blocked') await fixture.users.patch(id, { status: 'disabled' })
    if (name === 'gone') await fixture.users.delete(id)
  }
  const refusals = [
    ['alice', 'wrong horse', 'login_password_wrong'],
    ['alice', 'short', 'login_password_wrong'],
    ['nobody', PASSWORD, 'login_user_unknown'],
    ['nobody@example.org', PASSWORD, 'login_user_unknown'],
    ['no name at all', PASSWORD, 'login_user_unknown'],
    ['gone', PASSWORD, 'login_user_unknown'],
    ['blocked', PASSWORD, 'login_user_disabled'],
    ['blocked', 'wrong horse', 'login_password_wrong'],
  ] as const
  for (const [identifier, password, reason] of refusals) {
    counts.passes = 0
    const error = await refusalOf(login(identifier, password))
    t.equal(counts.passes, 1, `one verification: ${identifier}`)
    t.equal(error.reason, reason)
    const { code, status, description, retryAfterSeconds } = error
    t.same(
      { code, status, description, retryAfterSeconds },
      {
        code: 'invalid_grant',
        status: 400,
        description: 'The username or password is not right.',
        retryAfterSeconds: undefined,
      },
    )
  }
})

test('an over-long password is refused before any work, in the same words (C43)', async (t) => {
  const fixture = await openUserFixture(t)
  const { login, counts } = openLogin(fixture)
  const tooLong = await refusalOf(login('alice', 'a'.repeat(257)))
  const malformed = await refusalOf(login('alice', 'password\ud800'))
  t.equal(counts.passes, 0)
  const unknown = await refusalOf(login('alice', PASSWORD))
  t.equal(tooLong.reason, 'login_password_too_long')
  for (const error of [tooLong, malformed]) {
    t.same([error.code, error.status, error.description], [unknown.code, 400, unknown.description])
  }
})

test('a login under other parameters is hashed anew, and moves neither epoch nor version', async (t) => {
  const fixture = await openUserFixture(t)
  const old = openLogin(fixture)
  const passwordHash = await old.hasher.hash(PASSWORD)
  const { id } = await fixture.users.create({ ...newUser('alice'), passwordHash })
  const risen = openCountingHasher({ memoryKib: 2048, time: 2, parallelism: 1 })
  const { login } = openLogin(fixture, { hasher: risen.hasher })
  await refusalOf(login('alice', 'wrong horse'))
  t.equal((await fixture.users.findCredentials(id))?.passwordHash, passwordHash)
  t.equal(risen.counts.passes, 1, 'a refusal does not tell that the hash is old')
  await login('alice', PASSWORD)
  const found = await fixture.users.findCredentials(id)
  t.match(found?.passwordHash, /^\$argon2id\$v=19\$m=2048,t=2,p=1\$/)
  t.match(found?.record, { epoch: 0, version: 0 })
  await old.login('alice', PASSWORD)
  const lowered = await fixture.users.findCredentials(id)
  t.match(lowered?.passwordHash, /^\$argon2id\$v=19\$m=1024,t=1,p=1\$/, 'downwards too')
})

test('a rehash that fails does not fail the login', async (t) => {
  const fixture = await openUserFixture(t)
  const passwordHash = await openCountingHasher().hasher.hash(PASSWORD)
  await fixture.users.create({ ...newUser('alice'), passwordHash })
  const { hasher } = openCountingHasher({ memoryKib: 2048, time: 1, parallelism: 1 })
  const replaceHash = async () => {
    throw new Error('away')
  }
  const { login } = openLogin(fixture, { hasher, users: { ...fixture.users, replaceHash } })
  t.equal((await login('alice', PASSWORD)).user.username, 'alice')
})

test('the throttle speaks before a lane is taken, and hears how it went', async (t) => {
  const fixture = await openUserFixture(t)
  const heard: string[] = []
  const throttle: Throttle = {
    async check({ account }) {
      if (account.includes('blocked')) throw new OAuthError('throttled', { retryAfterSeconds: 9 })
    },
    succeeded: async ({ account }, aliases = []) =>
      void heard.push(`succeeded ${account}, also ${aliases.join(' and ')}`),
    failed: async ({ account }) => void heard.push(`failed ${account}`),
  }
  const { login, hasher, counts } = openLogin(fixture, { throttle })
  await fixture.users.create({ ...newUser('alice'), passwordHash: await hasher.hash(PASSWORD) })
  counts.passes = 0
  t.match(await refusalOf(login('Blocked', PASSWORD)), { status: 429, retryAfterSeconds: 9 })
  t.equal(counts.passes, 0)
  await login('ALICE', PASSWORD)
  await refusalOf(login('Nobody', PASSWORD))
  const names = '{"usernameKey":"alice"} and {"emailKey":"alice@example.org"}'
  t.same(heard, [
    `succeeded {"usernameKey":"alice"}, also ${names}`,
    'failed {"usernameKey":"nobody"}',
  ])
})
