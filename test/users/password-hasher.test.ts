// Argon2id over passwords of any Unicode, and which imported hashes are taken (docs/semantics.md
// §6).

import argon2 from 'argon2'
import { test } from 'tap'
import { parsePasswordHash } from '../../src/users/password-hash.ts'
import type { PasswordHasher } from '../../src/users/password-hasher.ts'
import { findPasswordProblem } from '../../src/users/password-policy.ts'
import { FAST_ARGON2, openCountingHasher } from '../scenes/user-fixture.ts'

const LIMITS = { passwordMinLength: 8, passwordMaxLength: 256 }
const SALT = 'c29tZXNhbHRzb21lc2FsdA'
const HASH = 'A0m+OCqHoIiLb6n22aH/qsEwWKc1UmRfoaEY7SQmTQU'
const phc = (parameters: string, salt = SALT, hash = HASH) =>
  `$argon2id$v=19$${parameters}$${salt}$${hash}`

const matchesOf = (hasher: PasswordHasher) => async (hash: string | undefined, password: string) =>
  (await hasher.verify(hash, password)).matches

test('a password is measured in code points after NFKC, nothing else', async (t) => {
  const problemOf = (password: string) => findPasswordProblem(password, LIMITS)
  t.equal(problemOf('short77'), 'too_short')
  t.equal(problemOf('aaaaaaaa'), undefined, 'no composition rules')
  t.equal(problemOf('🔑'.repeat(7)), 'too_short', 'code points, not code units')
  t.equal(problemOf('🔑'.repeat(256)), undefined)
  t.equal(problemOf('e\u0301'.repeat(256)), undefined, 'after NFKC')
  t.equal(problemOf('a'.repeat(257)), 'too_long')
  t.equal(problemOf('\ufdfa'.repeat(15)), 'too_long', 'one code point that becomes eighteen')
  t.equal(problemOf('a'.repeat(50_000_000)), 'too_long')
  t.equal(problemOf('password\ud800'), 'malformed')
  t.equal(problemOf('pass\0word'), undefined)
})

test('verifies what it hashed, to the last byte, NUL and all (C43)', async (t) => {
  const { hasher } = openCountingHasher()
  const matches = matchesOf(hasher)
  const long = `${'x'.repeat(100)}\0tail ☃`
  const hash = await hasher.hash(long)
  t.match(hash, /^\$argon2id\$v=19\$m=1024,t=1,p=1\$/)
  t.equal(await matches(hash, long), true)
  t.equal(await matches(hash, `${'x'.repeat(100)}\0tail`), false, 'past 72 bytes and a NUL')
  t.equal(await matches(await hasher.hash('Zoe\u0308'), 'Zo\u00eb'), true, 'NFKC')
  t.equal(await matches(undefined, long), false)
})

test('each hash has a salt of its own', async (t) => {
  const { hasher } = openCountingHasher()
  t.not(await hasher.hash('the same one'), await hasher.hash('the same one'))
})

test('a hash is stale when its parameters are others, above or below', async (t) => {
  const parameters = { memoryKib: 2048, time: 2, parallelism: 1 }
  const { hasher } = openCountingHasher(parameters)
  const isStale = async (cost: string) => (await hasher.verify(phc(cost), 'a password')).isStale
  t.equal(await isStale('m=2048,t=2,p=1'), false)
  t.equal(await isStale('m=2048,p=1,t=2'), false)
  for (const other of ['m=1024,t=2,p=1', 'm=4096,t=2,p=1', 'm=4096,t=1,p=1', 'm=2048,t=2,p=2']) {
    t.equal(await isStale(other), true, other)
  }
})

test('a hash from weaker parameters still verifies, and a wrong password does not', async (t) => {
  const weak = await argon2.hash('correct horse', {
    memoryCost: FAST_ARGON2.memoryKib,
    timeCost: 1,
    parallelism: 1,
  })
  const { hasher } = openCountingHasher({ memoryKib: 4096, time: 2, parallelism: 1 })
  const matches = matchesOf(hasher)
  t.equal(await matches(weak, 'correct horse'), true)
  t.equal(await matches(weak, 'wrong horse'), false)
})

test('takes argon2id hashes as other systems write them', async (t) => {
  const written = await argon2.hash('x', { memoryCost: 65536, timeCost: 3, parallelism: 4 })
  t.match(parsePasswordHash(written)?.cost, { work: 65536 * 3, settings: 'm=65536,t=3,p=4' })
  t.ok(parsePasswordHash(phc('m=19456,t=2,p=1')), 'in the order of the PHC text')
  for (const known of [
    'm=262144,t=3,p=1',
    'm=65536,t=3,p=4',
    'm=65536,t=4,p=1',
    'm=102400,t=2,p=8',
    'm=7168,t=5,p=1',
  ]) {
    t.ok(parsePasswordHash(phc(known)), `a default of a widespread library: ${known}`)
  }
  t.ok(parsePasswordHash(phc('m=8,t=1,p=1')), 'weak ones are hashed anew at the next login')
})

test('refuses a hash that is of another kind, costs too much or is written loosely', async (t) => {
  const refused = {
    'another kind': phc('m=1024,t=1,p=1').replace('argon2id', 'argon2x'),
    'another version': phc('m=1024,t=1,p=1').replace('v=19', 'v=16'),
    'no version': phc('m=1024,t=1,p=1').replace('v=19$', ''),
    'too much memory': phc('m=262145,t=1,p=1'),
    'absurd memory': phc('m=99999999999,t=1,p=1'),
    'too many passes': phc('m=1024,t=17,p=1'),
    'too many lanes': phc('m=1024,t=1,p=17'),
    'too much work': phc('m=262144,t=4,p=1'),
    'the work of 16 s': phc('m=262144,t=16,p=1'),
    'too much work in its lanes': phc('m=262144,t=3,p=3'),
    'less memory than its lanes need': phc('m=15,t=1,p=2'),
    'no memory': phc('m=0,t=1,p=1'),
    'a parameter twice': phc('m=1024,t=1,m=1024'),
    'a parameter too many': phc('m=1024,t=1,p=1,x=1'),
    'a key id of two bytes': phc('m=1024,t=1,p=1,keyid=abc'),
    'loose bits in a key id': phc('m=1024,t=1,p=1,keyid=ab'),
    'a key id before the rest': phc('keyid=qw,m=1024,t=1,p=1'),
    'a key id that is not ours': phc('m=1024,t=1,p=1,keyid=qw').replace('argon2id', 'argon2i'),
    'a parameter missing': phc('m=1024,t=1'),
    'a leading zero': phc('m=01024,t=1,p=1'),
    'a short salt': phc('m=1024,t=1,p=1', 'c2hvcnQ'),
    'a short hash': phc('m=1024,t=1,p=1', SALT, 'c2hvcnQ'),
    'a long hash': phc('m=1024,t=1,p=1', SALT, 'A'.repeat(87)),
    'a length that no base64 has': phc('m=1024,t=1,p=1', 'A'.repeat(13)),
    padding: `${phc('m=1024,t=1,p=1')}=`,
    'loose bits in base64': phc('m=1024,t=1,p=1', SALT, `${HASH.slice(0, -1)}V`),
    'a newline': `${phc('m=1024,t=1,p=1')}\n`,
    nothing: '',
  }
  for (const [what, text] of Object.entries(refused)) {
    t.equal(parsePasswordHash(text), undefined, what)
  }
})
