// What PostgreSQL says that hashes cost, and how it finds the dearest: the same as the schemes say, and
// by an index, however many there are.

import { test } from 'tap'
import { openPasswordCosts } from '../../src/users/password-costs.ts'
import { parsePasswordHash } from '../../src/users/password-hash.ts'
import { loadStoredPasswordCosts, STORED_COSTS } from '../../src/users/stored-password-costs.ts'
import { FAST_ARGON2, openUserFixture, type UserFixture } from '../scenes/user-fixture.ts'
import { PASSWORD_VECTORS, SPELLINGS } from './password-vectors.ts'

const PHC = (cost: string) => `$argon2id$v=19$${cost}$c29tZXNhbHQ$${'A'.repeat(43)}`

const VALUES = {
  'm=': [0, 1, 8, 15, 512, 1024, 65_536, 262_144, 262_145, 9_999_999],
  't=': [0, 1, 2, 3, 16, 17],
  'p=': [0, 1, 2, 8, 16, 17],
  'ln=': [0, 1, 4, 10, 14, 17, 18, 20, 21, 99],
  'n=': [0, 1, 14, 17, 18, 25],
  'r=': [0, 1, 8, 16, 32, 33],
  'rounds=': [999, 1_000, 5_000, 1_000_000, 1_000_001, 9_999_999],
  $: [0, 3, 4, 10, 14, 15, 99, 1_000, 1_024, 32_768, 1_000_000, 1_000_001, 2_000_000, 2_000_001],
  ':': [0, 1, 2, 3, 8, 16, 17, 32, 33, 1_000, 1_024, 131_072, 262_144],
}

/** Each number of the hash that is a parameter, replaced by each that may matter. */
function* varied(hash: string): Generator<string> {
  for (const [name, values] of Object.entries(VALUES)) {
    let at = hash.indexOf(name)
    while (at >= 0) {
      const digits = /^\d+(?=[$:,])/.exec(hash.slice(at + name.length))?.[0]
      if (digits !== undefined) {
        for (const value of values) {
          const text = hash.startsWith('$2') ? String(value).padStart(2, '0') : String(value)
          const from = at + name.length
          yield `${hash.slice(0, from)}${text}${hash.slice(from + digits.length)}`
        }
      }
      at = hash.indexOf(name, at + 1)
    }
  }
}

test('PostgreSQL and the schemes agree on what a hash costs', async (t) => {
  const { database } = await openUserFixture(t)
  const hashes = [
    ...PASSWORD_VECTORS.map(({ hash }) => hash),
    ...Object.values(SPELLINGS).flatMap(({ hash }) => [...varied(hash)]),
    ...['m=1024,t=1,p=1,keyid=qw', 't=2,p=1,m=64', 'p=1,m=8,t=9'].map(PHC),
    ...['m=1,t=1,p=1', 'm=1024,t=1', 'm=1024,t=1,p=1,keyid=qwe', 'x=1,m=1024,t=1,p=1'].map(PHC),
    ...['', '$', '$2', '$6$', '$6$rounds=', 'scrypt', 'scrypt:', 'scrypt$', '$scrypt$', '$argon2'],
    ...[
      'pbkdf2_',
      '$pbkdf2',
      '$fbscrypt$',
      '$pbkdf2$99999999999999999999$',
      '$5$x$y',
      'x'.repeat(9_999),
    ],
  ]
  const { rows } = await database.pool.query<{ cost: string | null }>(
    'SELECT password_hash_cost(hash) AS cost FROM unnest($1::text[]) WITH ORDINALITY AS h (hash, n) ORDER BY n',
    [hashes],
  )
  t.equal(rows.length, hashes.length)
  let known = 0
  for (const [index, hash] of hashes.entries()) {
    const cost = parsePasswordHash(hash)?.cost
    const told = rows[index]?.cost ?? undefined
    if (cost) known += 1
    const { group, work = 0, settings } = cost ?? {}
    const expected = cost && `${group}:${String(work).padStart(12, '0')}:${settings}`
    // It does not read salt and hash, nor that a parameter stands there which does not belong there.
    const isLooser = expected === undefined && told !== undefined && /x=1|keyid=qwe/.test(hash)
    if (!isLooser) t.equal(told, expected, hash)
  }
  t.ok(known > 150)
})

const insert = ({ database }: UserFixture, select: string) =>
  database.pool.query(`INSERT INTO users (id, password_hash) SELECT gen_random_uuid(), ${select}`)

test('the dearest of every kind are found by an index', async (t) => {
  const fixture = await openUserFixture(t)
  const { database } = fixture
  await insert(
    fixture,
    `CASE i % 5
       WHEN 0 THEN format('$argon2id$v=19$m=%s,t=2,p=1$c2FsdA$aGFzaA', 1000 + i % 10)
       WHEN 1 THEN format('$argon2id$v=19$p=%s,m=2048,t=1$c2FsdA$aGFzaA', 2 + i % 7)
       WHEN 2 THEN format('pbkdf2_sha256$%s$salt$hash', 1000 + i)
       WHEN 3 THEN format('$2b$%s$salthash', lpad((4 + i % 9)::text, 2, '0'))
       ELSE format('$6$rounds=%s$saltsalt$hash', 1000 + i) END
     FROM generate_series(1, 5000) AS i`,
  )
  await insert(fixture, `h FROM unnest('{x,$2b$99$x,"$6$rounds=9999999$x$y",""}'::text[]) AS h`)
  await database.pool.query('ANALYZE users')
  const stored = await loadStoredPasswordCosts(database)
  const found = (group: string) =>
    stored.filter((cost) => cost.group === group).map(({ work, settings }) => settings || work)
  t.strictSame(found('pbkdf2 sha256'), [5_997], 'where work alone counts, the dearest')
  t.strictSame(found('sha512-crypt 8'), [5_999])
  t.strictSame(found('bcrypt'), ['12', '11', '10', '9', '8', '7', '6', '5'], 'else the dearest 8')
  t.strictSame(found('argon2 id-1'), ['m=1005,t=2,p=1', 'm=1000,t=2,p=1'])
  for (let p = 2; p < 9; p += 1) t.strictSame(found(`argon2 id-${p}`), [`m=2048,t=1,p=${p}`])
  t.equal(stored.length, 1 + 1 + 8 + 2 + 7)
  const { rows } = await database.pool.query<Record<string, string>>(`EXPLAIN ${STORED_COSTS}`)
  const plan = rows.map((row) => row['QUERY PLAN']).join('\n')
  t.match(plan, 'users_password_hash_cost_idx')
  t.notMatch(plan, /Seq Scan|Sort/)
})

test('a group that only a newer release knows is left out', async (t) => {
  const unknown = { group: 'balloon 1', work: 1, settings: '' }
  const costs = openPasswordCosts(FAST_ARGON2, async () => [unknown])
  await costs.reload()
  t.strictSame(
    costs.list().map(({ group }) => group),
    ['argon2 id-1'],
  )
})
