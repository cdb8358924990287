// Hashes of other systems: all that other implementations made is verified, and nothing is taken that
// costs too much or is written in another way than the one.

import { test } from 'tap'
import { PASSWORD_HASH_RULE, parsePasswordHash } from '../../src/users/password-hash.ts'
import { PASSWORD_SCHEMES } from '../../src/users/password-schemes/password-schemes.ts'
import { present } from '../scenes/user-fixture.ts'
import { PASSWORD_VECTORS, SPELLINGS } from './password-vectors.ts'

const vectorOf = (start: string) => present(SPELLINGS[start])
const hashOf = (start: string) => vectorOf(start).hash
const bytesOf = (password: string) => Buffer.from(password)

test('verifies what other implementations made, and refuses another password', async (t) => {
  for (const { madeBy, password, hash } of PASSWORD_VECTORS) {
    const what = `${madeBy}: ${hash.slice(0, 30)} of ${password.slice(0, 20)}`
    const stored = present(parsePasswordHash(hash))
    t.equal(await stored.matches(bytesOf(password)), true, what)
    t.equal(await stored.matches(bytesOf(`x${password}`)), false, `${what}, another before it`)
    t.equal(await stored.matches(bytesOf('correct Horse')), false, `${what}, another`)
  }
})

test('a hash has exactly one scheme', async (t) => {
  for (const { hash } of PASSWORD_VECTORS) {
    t.equal(PASSWORD_SCHEMES.filter((scheme) => scheme.parse(hash)).length, 1, hash)
  }
})

test('bcrypt: 72 bytes are all that it says, and nothing with a NUL matches', async (t) => {
  const long = present(
    PASSWORD_VECTORS.find(({ hash, password }) => hash.startsWith('$2b$') && password.length > 72),
  )
  const stored = present(parsePasswordHash(long.hash))
  t.equal(await stored.matches(bytesOf(long.password.slice(0, 72))), true)
  t.equal(await stored.matches(bytesOf(`${long.password.slice(0, 72)}other`)), true)
  t.equal(await stored.matches(bytesOf(long.password.slice(0, 71))), false)
  t.equal(await stored.matches(bytesOf(`${long.password.slice(0, 72)}\0`)), false)
  const short = PASSWORD_VECTORS.filter(
    ({ hash, password }) => hash.startsWith('$2') && password === 'x',
  )
  t.ok(short.length > 0)
  for (const { hash } of short) {
    // All three are the same to bcrypt, or to one that ends at a NUL.
    for (const password of ['x\0x', 'x\0', 'x\0else']) {
      t.equal(await parsePasswordHash(hash)?.matches(bytesOf(password)), false)
    }
  }
})

test('$2a$, $2b$ and $2y$ are one function', async (t) => {
  const { password, hash } = vectorOf('$2b$')
  for (const start of ['$2a$', '$2y$']) {
    const stored = present(parsePasswordHash(hash.replace('$2b$', start)))
    t.equal(await stored.matches(bytesOf(password)), true, start)
  }
})

test('PBKDF2 with SHA-512 in the spelling of Django', async (t) => {
  const { password, hash } = vectorOf('pbkdf2_sha512$')
  t.equal(await parsePasswordHash(hash)?.matches(bytesOf(password)), true)
})

test('refuses what costs too much', async (t) => {
  const refused: readonly [string, RegExp, string][] = [
    ['$argon2i$', /m=512/, 'm=262145'],
    ['$argon2d$', /t=2/, 't=17'],
    ['$2b$', /\$05\$/, '$15$'],
    ['$2b$', /\$05\$/, '$03$'],
    ['$2b$', /\$05\$/, '$99$'],
    ['$pbkdf2$', /\$1234\$/, '$2000001$'],
    ['$pbkdf2-sha256$', /\$1234\$/, '$2000001$'],
    ['$pbkdf2-sha512$', /\$1234\$/, '$1000001$'],
    ['pbkdf2_sha1$', /\$1234\$/, '$2000001$'],
    ['pbkdf2_sha256$', /\$1234\$/, '$0$'],
    ['$scrypt$', /ln=10/, 'ln=18'],
    ['$scrypt$', /ln=10/, 'ln=99'],
    ['$scrypt$', /r=8/, 'r=33'],
    ['$scrypt$', /p=1/, 'p=17'],
    ['scrypt:', /:1024:/, ':262144:'],
    ['scrypt:', /:1024:/, ':1000:'],
    ['scrypt$', /\$1024\$/, '$262144$'],
    ['$fbscrypt$', /n=14/, 'n=18'],
    ['$6$rounds=', /rounds=\d+/, 'rounds=1000001'],
    ['$6$rounds=', /rounds=\d+/, 'rounds=999'],
    ['$6$rounds=', /rounds=\d+/, 'rounds=99999999'],
  ]
  for (const [start, from, to] of refused) {
    const text = hashOf(start).replace(from, to)
    t.not(text, hashOf(start))
    t.equal(parsePasswordHash(text), undefined, text)
  }
})

test('takes the dearest that is within bounds', async (t) => {
  const taken: readonly [string, RegExp, string][] = [
    ['$2b$', /\$05\$/, '$14$'],
    ['$pbkdf2-sha256$', /\$1234\$/, '$2000000$'],
    ['$scrypt$', /ln=10/, 'ln=17'],
    ['scrypt:', /:1024:8:1/, ':16384:8:5'],
    ['$6$rounds=', /rounds=\d+/, 'rounds=1000000'],
  ]
  for (const [start, from, to] of taken) {
    t.ok(parsePasswordHash(hashOf(start).replace(from, to)), to)
  }
})

test('refuses any other spelling', async (t) => {
  for (const [start, { hash }] of Object.entries(SPELLINGS)) {
    const last = hash.lastIndexOf('$') + 1
    const padding = /=*$/.exec(hash)?.[0] ?? ''
    const spoiled = [
      `${hash}\n`,
      ` ${hash}`,
      `${hash}=`,
      `${hash}AA*`,
      `${hash.slice(0, -1)}`,
      hash.slice(0, last),
      `${hash.slice(0, last)}*${hash.slice(last + 1)}`,
      hash.replace(start, start.toUpperCase()),
      hash.replace(/(?<=[$:=])(?=[1-9]\d*[$:,])/, '0'),
      hash.replace(start, `x${start}`),
      hash.slice(1),
      `${hash}${'A'.repeat(2_000)}`,
      ...(padding === '' ? [] : [hash.slice(0, -padding.length)]),
    ]
    for (const text of spoiled) {
      // A digit has no other case.
      if (text !== hash) t.equal(parsePasswordHash(text), undefined, JSON.stringify(text))
    }
  }
})

test('refuses bits that no byte has', async (t) => {
  // One more than the last character: it stands for bits that are zero.
  const next = (character: string) => String.fromCharCode(character.charCodeAt(0) + 1)
  for (const start of ['$argon2id$', '$2b$', '$pbkdf2-sha256$', '$pbkdf2-sha512$', '$scrypt$']) {
    const hash = hashOf(start)
    const text = `${hash.slice(0, -1)}${next(hash.slice(-1))}`
    t.equal(parsePasswordHash(text), undefined, text)
  }
  const salt = hashOf('$2b$').replace(/^(\$2b\$\d\d\$.{21})./, '$1f')
  t.equal(parsePasswordHash(salt), undefined, 'nor in the salt')
  const digest = hashOf('$6$').replace(/.$/, 'z')
  t.equal(parsePasswordHash(digest), undefined)
})

test('refuses other schemes, older ones above all', async (t) => {
  for (const text of [
    '',
    'correct horse',
    '$1$saltsalt$qjXMvbEw8oaL.CzflDtaK/',
    '$5$rounds=1000$saltstring$EIVXA0hXi5T7fPSe9Q0OfWt0nvmP.AZnwM1OFUWC4X3',
    '$apr1$6yz1WDMc$lYbfVWI7mQiBl1TQ0kQDE1',
    '{SSHA}0c0blFTXXNuAMHECS4uxrj3ZieMoWImr',
    '5f4dcc3b5aa765d61d8327deb882cf99',
    '$2x$05$abcdefghijklmnopqrstuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuu',
    'md5$saltsalt$f56bd4bfdaf2d3ccf3b3f6e3d3e2d4b8',
  ]) {
    t.equal(parsePasswordHash(text), undefined, text)
  }
})

test('the rule names every scheme, in one sentence', async (t) => {
  for (const word of [
    'argon2id',
    'bcrypt',
    'Passlib',
    'Django',
    'Werkzeug',
    'Firebase',
    'SHA-512',
  ]) {
    t.match(PASSWORD_HASH_RULE, word)
  }
})
