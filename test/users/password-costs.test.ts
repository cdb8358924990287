// Equal work, counted by the hashes that were computed and never by the clock: whoever is asked for,
// and whatever schemes, parameters and forms the hashes of other systems have.

import argon2 from 'argon2'
import { type Test, test } from 'tap'
import { OAuthError } from '../../src/oauth/oauth-error.ts'
import { NO_THROTTLE } from '../../src/throttle/throttle.ts'
import { authenticateUser } from '../../src/users/authenticate-user.ts'
import { openPasswordCosts, SETTINGS_MAX } from '../../src/users/password-costs.ts'
import { parsePasswordHash } from '../../src/users/password-hash.ts'
import { loadStoredPasswordCosts } from '../../src/users/stored-password-costs.ts'
import {
  FAST_ARGON2,
  newUser,
  openCountingHasher,
  openUserFixture,
  present,
  type UserFixture,
} from '../scenes/user-fixture.ts'
import { watchHashing } from '../scenes/watched-hashing.ts'
import { SPELLINGS } from './password-vectors.ts'

const PASSWORD = 'correct horse'
const OURS = 'argon2id m=1024,t=1,p=1'
/** Superscripts, a no-break space and a ligature are not in NFKC. */
const TYPED = 'm² of\u00a0the ﬂat'

const phcOf = (password: string, memoryCost: number, timeCost: number, parallelism: number) =>
  argon2.hash(password, { memoryCost, timeCost, parallelism })
const unknownPhc = (cost: string) =>
  `$argon2id$v=19$${cost}$c29tZXNhbHRzb21lc2FsdA$A0m+OCqHoIiLb6n22aH/qsEwWKc1UmRfoaEY7SQmTQU`

function openLogin(t: Test, { database, users }: UserFixture) {
  const costs = openPasswordCosts(FAST_ARGON2, () => loadStoredPasswordCosts(database))
  const { hasher } = openCountingHasher(FAST_ARGON2, costs)
  const watched = watchHashing(t)
  const passwordLimits = { passwordMinLength: 8, passwordMaxLength: 256 }
  return {
    costs,
    /** How it ended and what was computed for it. */
    async login(identifier: string, password: string) {
      watched.costs.length = 0
      const attempt = { identifier, password, ip: '192.0.2.1' }
      const parts = { users, hasher, passwordLimits, throttle: NO_THROTTLE }
      const result = await authenticateUser(attempt, parts).then(
        () => 'let in',
        (error) => (error instanceof OAuthError ? error.reason : Promise.reject(error)),
      )
      return { result, costs: [...watched.costs] }
    },
  }
}

test('every refusal computes the very same hashes', async (t) => {
  const fixture = await openUserFixture(t)
  const hashes = {
    ours: await phcOf(PASSWORD, 1024, 1, 1),
    cheap: await phcOf(PASSWORD, 64, 1, 1),
    dear: await phcOf(PASSWORD, 4096, 2, 1),
    wide: await phcOf(PASSWORD, 2048, 2, 4),
    unbounded: unknownPhc('m=262144,t=16,p=1'),
    unknown: '$1$saltsalt$qjXMvbEw8oaL.CzflDtaK/',
  }
  for (const [name, passwordHash] of Object.entries(hashes)) {
    const { id } = await fixture.users.create({ ...newUser(name), passwordHash })
    if (name === 'ours') await fixture.users.patch(id, { status: 'disabled' })
  }
  const { login, costs } = openLogin(t, fixture)
  await costs.reload()
  const all = ['m=4096,t=2,p=1', 'm=1024,t=1,p=1', 'm=64,t=1,p=1', 'm=2048,t=2,p=4']
  const refusals = [
    ['nobody', PASSWORD, 'login_user_unknown'],
    ['no name at all', PASSWORD, 'login_user_unknown'],
    ['ours', PASSWORD, 'login_user_disabled'],
    ['unbounded', PASSWORD, 'login_hash_refused'],
    ['unknown', PASSWORD, 'login_hash_refused'],
    ...Object.keys(hashes)
      .slice(0, 4)
      .map((name) => [name, 'wrong horse', 'login_password_wrong'] as const),
  ] as const
  for (const [identifier, password, result] of refusals) {
    t.strictSame(await login(identifier, password), {
      result,
      costs: all.map((settings) => `argon2id ${settings}`),
    })
  }
})

test('and so with every scheme, dear or cheap', async (t) => {
  const fixture = await openUserFixture(t)
  const create = async (name: string, passwordHash: string) =>
    fixture.users.create({ ...newUser(name), passwordHash })
  const names: string[] = []
  for (const { hash } of Object.values(SPELLINGS)) {
    names.push((await create(`user${names.length}`, hash)).username)
  }
  const hashOf = (start: string) => present(SPELLINGS[start]).hash
  await create('bcrypt6', hashOf('$2b$').replace('$05$', '$06$'))
  await create('pbkdf2', hashOf('$pbkdf2-sha256$').replace('$1234$', '$5000$'))
  await create('sha512', hashOf('$6$rounds=').replace(/rounds=\d+/, 'rounds=6000'))
  await create('scrypt', hashOf('scrypt:').replace(':1024:8:1', ':512:16:3'))
  const { login, costs } = openLogin(t, fixture)
  await costs.reload()
  const { costs: ofNobody } = await login('nobody', 'wrong horse')
  for (const part of [OURS, 'bcrypt 05', 'bcrypt 06', 'scrypt 1024,8,1', 'scrypt 512,16,3']) {
    t.ok(ofNobody.includes(part), part)
  }
  for (const name of [...names, 'bcrypt6', 'pbkdf2', 'sha512', 'scrypt']) {
    const { result, costs: own } = await login(name, 'wrong horse')
    t.equal(result, 'login_password_wrong')
    t.equal(own.length, ofNobody.length, `${name}: as many hashes`)
    t.strictSame(summed(own), summed(ofNobody), `${name}: of the same work`)
  }
})

/** What was computed, with the iterations added up where time is a matter of those alone. */
function summed(costs: readonly string[]): Record<string, number> {
  const sums: Record<string, number> = {}
  for (const cost of costs) {
    const [, kind = cost, iterations = '1'] = /^(pbkdf2 \w+|sha512-crypt) (\d+)$/.exec(cost) ?? []
    sums[kind] = (sums[kind] ?? 0) + Number(iterations)
  }
  return sums
}

test('a hash that the poll has not seen yet is paid for by everybody once it was met', async (t) => {
  const fixture = await openUserFixture(t)
  const { login } = openLogin(t, fixture)
  const passwordHash = await phcOf(PASSWORD, 2048, 2, 2)
  await fixture.users.create({ ...newUser('dear'), passwordHash })
  const both = [OURS, 'argon2id m=2048,t=2,p=2']
  t.strictSame((await login('nobody', PASSWORD)).costs, [OURS])
  t.strictSame((await login('dear', 'wrong horse')).costs, both)
  t.strictSame((await login('nobody', PASSWORD)).costs, both)
})

test('logins renew the dear ones, and then all of them are cheap', async (t) => {
  const fixture = await openUserFixture(t)
  const { password, hash } = present(SPELLINGS['scrypt:'])
  const { id } = await fixture.users.create({ ...newUser('dear'), passwordHash: hash })
  const { login, costs } = openLogin(t, fixture)
  t.equal((await login('dear', password)).result, 'let in')
  t.match((await fixture.users.findCredentials(id))?.passwordHash, /\$m=1024,t=1,p=1\$/)
  await costs.reload()
  t.strictSame((await login('nobody', PASSWORD)).costs, [OURS])
  t.equal((await login('dear', password)).result, 'let in')
})

test('a hash of what was typed lets in, with the same work for everybody, and is replaced', async (t) => {
  const fixture = await openUserFixture(t)
  const create = async (name: string, password: string) => {
    const passwordHash = await phcOf(password, 1024, 1, 1)
    return (await fixture.users.create({ ...newUser(name), passwordHash })).id
  }
  const typed = await create('typed', TYPED)
  await create('normal', TYPED.normalize('NFKC'))
  await create('other', PASSWORD)
  const { login } = openLogin(t, fixture)
  const twice = [OURS, OURS]
  for (const [name, result] of [
    ['normal', 'let in'],
    ['other', 'login_password_wrong'],
    ['nobody', 'login_user_unknown'],
  ] as const) {
    t.strictSame(await login(name, TYPED), { result, costs: twice }, name)
  }
  t.equal((await login('typed', TYPED.normalize('NFKC'))).result, 'login_password_wrong')
  t.strictSame((await login('typed', 'wrong horse')).costs, [OURS])
  t.strictSame(await login('typed', TYPED), { result: 'let in', costs: [...twice, OURS] })
  const { passwordHash } = present(await fixture.users.findCredentials(typed))
  t.equal(await argon2.verify(passwordHash, TYPED.normalize('NFKC')), true)
  t.equal((await login('typed', TYPED.normalize('NFKC'))).result, 'let in')
  t.strictSame(await login('typed', TYPED), { result: 'let in', costs: twice })
})

test('the number of settings that every login pays for is bounded', async (t) => {
  const costs = openPasswordCosts(FAST_ARGON2)
  for (let memory = 2_000; memory < 2_100; memory += 1) {
    costs.include(present(parsePasswordHash(unknownPhc(`m=${memory},t=1,p=1`))).cost)
  }
  t.equal(costs.list().length, SETTINGS_MAX)
  t.equal(costs.list()[0]?.settings, 'm=2099,t=1,p=1', 'the dearest ones')
})
