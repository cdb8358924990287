// Equal work, counted by the hashes that were computed and never by the clock: whoever is asked
// for, and whatever parameters and forms the hashes of other systems have.

import argon2 from 'argon2'
import { type Test, test } from 'tap'
import { OAuthError } from '../../src/oauth/oauth-error.ts'
import { NO_THROTTLE } from '../../src/throttle/throttle.ts'
import { authenticateUser } from '../../src/users/authenticate-user.ts'
import { openPasswordCosts } from '../../src/users/password-costs.ts'
import { DEAREST_HASHES, loadStoredPasswordCosts } from '../../src/users/stored-password-costs.ts'
import {
  FAST_ARGON2,
  newUser,
  openCountingHasher,
  openUserFixture,
  present,
  type UserFixture,
  watchHashing,
  workByParallelism,
} from '../scenes/user-fixture.ts'

const PASSWORD = 'correct horse'
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
      return { result, costs: [...watched.costs], work: workByParallelism(watched.costs) }
    },
  }
}

test('every refusal takes the work of the dearest hashes of the table', async (t) => {
  const fixture = await openUserFixture(t)
  const hashes = {
    ours: await phcOf(PASSWORD, 1024, 1, 1),
    cheap: await phcOf(PASSWORD, 64, 1, 1),
    dear: await phcOf(PASSWORD, 4096, 2, 1),
    wide: await phcOf(PASSWORD, 2048, 2, 4),
    narrower: await phcOf(PASSWORD, 1024, 2, 4),
    unbounded: unknownPhc('m=262144,t=16,p=1'),
    foreign: '$2b$12$abcdefghijklmnopqrstuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuu',
  }
  for (const [name, passwordHash] of Object.entries(hashes)) {
    const { id } = await fixture.users.create({ ...newUser(name), passwordHash })
    if (name === 'ours') await fixture.users.patch(id, { status: 'disabled' })
  }
  const { login, costs } = openLogin(t, fixture)
  await costs.reload()
  const dearest = { 1: 4096 * 2, 4: 2048 * 2 }
  const refusals = [
    ['nobody', PASSWORD, 'login_user_unknown'],
    ['no name at all', PASSWORD, 'login_user_unknown'],
    ['ours', PASSWORD, 'login_user_disabled'],
    ['unbounded', PASSWORD, 'login_hash_refused'],
    ['foreign', PASSWORD, 'login_hash_refused'],
    ...Object.keys(hashes)
      .slice(0, 5)
      .map((name) => [name, 'wrong horse', 'login_password_wrong'] as const),
  ] as const
  for (const [identifier, password, reason] of refusals) {
    const { result, work } = await login(identifier, password)
    t.equal(result, reason, identifier)
    t.strictSame(work, dearest, identifier)
  }
  const { costs: ofNobody } = await login('nobody', PASSWORD)
  for (const name of ['dear', 'wide']) {
    t.strictSame((await login(name, 'wrong horse')).costs, ofNobody, 'to the parameter')
  }
  t.strictSame(ofNobody, ['m=4096,t=2,p=1', 'm=2048,t=2,p=4'])
})

test('a hash that the poll has not seen yet is paid for by everybody once it was met', async (t) => {
  const fixture = await openUserFixture(t)
  const { login } = openLogin(t, fixture)
  const passwordHash = await phcOf(PASSWORD, 2048, 2, 2)
  await fixture.users.create({ ...newUser('dear'), passwordHash })
  t.strictSame((await login('nobody', PASSWORD)).work, { 1: 1024 })
  t.strictSame((await login('dear', 'wrong horse')).work, { 1: 1024, 2: 4096 })
  t.strictSame((await login('nobody', PASSWORD)).work, { 1: 1024, 2: 4096 })
})

test('logins renew the dear ones, and then all of them are cheap', async (t) => {
  const fixture = await openUserFixture(t)
  const passwordHash = await phcOf(PASSWORD, 2048, 2, 2)
  const { id } = await fixture.users.create({ ...newUser('dear'), passwordHash })
  const { login, costs } = openLogin(t, fixture)
  t.equal((await login('dear', PASSWORD)).result, 'let in')
  t.match((await fixture.users.findCredentials(id))?.passwordHash, /\$m=1024,t=1,p=1\$/)
  await costs.reload()
  t.strictSame((await login('nobody', PASSWORD)).costs, ['m=1024,t=1,p=1'])
  t.equal((await login('dear', PASSWORD)).result, 'let in')
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
  const twice = ['m=1024,t=1,p=1', 'm=1024,t=1,p=1']
  for (const [name, result] of [
    ['normal', 'let in'],
    ['other', 'login_password_wrong'],
    ['nobody', 'login_user_unknown'],
  ] as const) {
    t.match(await login(name, TYPED), { result, costs: twice }, name)
  }
  t.equal((await login('typed', TYPED.normalize('NFKC'))).result, 'login_password_wrong')
  t.strictSame((await login('typed', 'wrong horse')).costs, ['m=1024,t=1,p=1'])
  t.match(await login('typed', TYPED), { result: 'let in', costs: [...twice, 'm=1024,t=1,p=1'] })
  const { passwordHash } = present(await fixture.users.findCredentials(typed))
  t.equal(await argon2.verify(passwordHash, TYPED.normalize('NFKC')), true)
  t.equal((await login('typed', TYPED.normalize('NFKC'))).result, 'let in')
  t.strictSame(await login('typed', TYPED), { result: 'let in', costs: twice, work: { 1: 2048 } })
})

test('the dearest are found by an index, in whatever order a hash names its parameters', async (t) => {
  const { database } = await openUserFixture(t)
  await database.pool.query(
    `INSERT INTO users (id, password_hash)
     SELECT gen_random_uuid(), '$argon2id$v=19$' || CASE i % 3
       WHEN 0 THEN format('m=%s,t=2,p=1', 1000 + i)
       WHEN 1 THEN format('p=%s,m=2048,t=%s', 2 + i % 7, 1 + i % 5)
       ELSE format('m=2048,p=4,t=%s', 1 + i % 9) END || '$c29tZXNhbHQ$aGFzaA'
     FROM generate_series(1, 3000) AS i`,
  )
  await database.pool.query(
    `INSERT INTO users (id, password_hash) SELECT gen_random_uuid(), hash FROM unnest($1::text[]) hash`,
    [['', '$argon2id$v=19$m=9,t=9$x$y', unknownPhc('m=9999999,t=99,p=99'), unknownPhc('t=1,m=1')]],
  )
  await database.pool.query('ANALYZE users')
  const stored = await loadStoredPasswordCosts(database)
  const found = stored.map(({ memoryKib, time, parallelism: p }) => [p, memoryKib * time])
  t.strictSame(found, [
    [1, 8000],
    [2, 10240],
    [3, 10240],
    [4, 18432],
    [5, 10240],
    [6, 10240],
    [7, 10240],
    [8, 10240],
  ])
  const { rows } = await database.pool.query<Record<string, string>>(`EXPLAIN ${DEAREST_HASHES}`)
  const plan = rows.map((row) => row['QUERY PLAN']).join('\n')
  t.match(plan, 'users_password_cost_idx')
  t.notMatch(plan, /Seq Scan|Sort/)
})
