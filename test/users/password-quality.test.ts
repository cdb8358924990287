// Which new passwords are refused because they are guessed first (docs/semantics.md §6, NIST SP
// 800-63B-4 §3.1.1.2), and that no other is.

import { randomBytes } from 'node:crypto'
import { readFileSync } from 'node:fs'
import fc from 'fast-check'
import { test } from 'tap'
import { writeCommonPasswords } from '../../scripts/common-passwords.ts'
import { isCommonPassword } from '../../src/users/common-passwords.ts'
import { findPasswordWeakness } from '../../src/users/password-quality.ts'
import { findPasswordErrors } from '../../src/users/user-draft.ts'

const RULES = {
  passwordMinLength: 8,
  passwordMaxLength: 256,
  passwordBlocklist: true,
  issuer: 'https://ledgerhall.example.com/tenant',
}
const ADA = { username: 'Ada.Tinkerdale', email: 'marchioness@looms.example.org' }
const LIST = new URL('../../src/users/common-passwords.txt', import.meta.url)

const COMMON = 'is one of the passwords that are tried first'
const SIMPLE = 'must not be a few characters over and over, or a row of neighbours'

const WORDS = ['correct', 'horse', 'battery', 'staple', 'sunset', 'copper', 'window', 'teapot']

function weaknessOf(password: string, owner = ADA): string | undefined {
  return findPasswordWeakness(password, RULES, owner)
}

test('the list is that of the installed package', async (t) => {
  t.equal(readFileSync(LIST, 'utf8'), writeCommonPasswords())
})

test('every password of the list is found, and nothing between two of them', async (t) => {
  const [, body = ''] = readFileSync(LIST, 'utf8').split('\n\n')
  const passwords = body.trimEnd().split('\n')
  const all = new Set(passwords)
  t.ok(passwords.filter((password) => password.length >= 8).length > 17_000)
  t.same(
    passwords.filter((password) => !isCommonPassword(password)),
    [],
  )
  const near = passwords.flatMap((text) => [`${text} `, `~${text}`, text.slice(1), `${text}\n`])
  t.same(
    near.filter((text) => isCommonPassword(text) !== all.has(text)),
    [],
  )
  t.notOk(isCommonPassword(''))
  t.notOk(isCommonPassword('\u{10ffff}'))
  t.notOk(isCommonPassword('# Copyright (c) 2021 @zxcvbn-ts'), 'the licence is no password')
})

test('refuses what most people choose, in any case and width', async (t) => {
  for (const text of ['password', 'PassWord1', 'ｐａｓｓｗｏｒｄ', 'qwertyuiop', '12345678']) {
    t.equal(weaknessOf(text), COMMON, text)
  }
})

test('refuses a few characters over and over and rows of neighbours, while they are short', async (t) => {
  const simple = [
    'aaaaaaaa',
    '00000000',
    '12121212',
    '19841984',
    '87654321',
    'cdefghij',
    'poiuytrewq',
  ]
  for (const text of simple) t.equal(weaknessOf(text) !== undefined, true, text)
  t.equal(weaknessOf('Aaaaaaaaa'), SIMPLE)
  t.equal(weaknessOf('0987654321'), SIMPLE)
  for (const text of ['a'.repeat(17), 'abababab1', '12341235', 'hahahahaha ha', 'acegikmo']) {
    t.equal(weaknessOf(text), undefined, text)
  }
})

test('refuses what is little more than a name of the user or of the service', async (t) => {
  const whose = {
    'the username': [
      'ada.tinkerdale',
      'ADA.TINKERDALE1',
      'tinkerdale',
      'Tinkerdale99',
      'tinkerdaletinkerdale',
    ],
    'the email address': [
      'marchioness',
      '1marchioness2',
      'marchioness@looms.example.org',
      'looms!!!',
    ],
    'the name of this service': ['ledgerhall', 'ledgerhall123', 'ledgerhall.example.com'],
  }
  for (const [name, passwords] of Object.entries(whose)) {
    for (const password of passwords) {
      t.equal(weaknessOf(password), `must not be little more than ${name}`, password)
    }
  }
})

test('a name within a longer password is no fault', async (t) => {
  const good = ['tinkerdale-1815', 'my marchioness is away', 'example-password', 'adaadaadaada1']
  for (const password of good) t.equal(weaknessOf(password), undefined, password)
  const short = { username: 'a', email: 'b@c' }
  t.equal(weaknessOf('banana-split', short), undefined, 'one letter is in many words')
  t.match(weaknessOf('ababababab', { username: 'ab', email: 'b@c' }), /the username/)
})

test('with LINEAGE_PASSWORD_BLOCKLIST=off only the length counts', async (t) => {
  const off = { ...RULES, passwordBlocklist: false }
  for (const text of ['password', 'aaaaaaaa', 'ada.tinkerdale', 'ledgerhall']) {
    t.same(findPasswordErrors('/password', text, off, ADA), [], text)
  }
  t.match(findPasswordErrors('/password', 'short', off, ADA), [{ detail: /at least 8/ }])
})

test('says one reason, the length first', async (t) => {
  t.same(findPasswordErrors('/newPassword', 'abc', RULES, ADA), [
    { pointer: '/newPassword', detail: 'must have at least 8 characters' },
  ])
  t.same(findPasswordErrors('/newPassword', 'password', RULES, ADA), [
    { pointer: '/newPassword', detail: COMMON },
  ])
})

test('no random password is refused, and no passphrase', async (t) => {
  const names = fc.record({
    username: fc.stringMatching(/^[a-z0-9][a-z0-9._-]{0,20}$/),
    email: fc.emailAddress(),
  })
  const random = fc.noShrink(fc.constant(undefined)).map(() => randomBytes(9).toString('base64url'))
  const words = fc.shuffledSubarray(WORDS, { minLength: 3, maxLength: 5 })
  fc.assert(
    fc.property(names, random, words, (owner, password, phrase) => {
      t.equal(weaknessOf(password, owner), undefined, password)
      t.equal(weaknessOf(phrase.join(' '), owner), undefined, phrase.join(' '))
    }),
    { numRuns: 500 },
  )
})
