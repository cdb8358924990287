// Password hashes of ours and of other systems, and the names that people log in with.

import argon2 from 'argon2'
import bcrypt from 'bcrypt'
import { foldCase, nameKey } from '../../../src/runtime/name-key.ts'
import { parseParameters } from '../../../src/users/argon2-parameters.ts'
import { parseForeignHash, parsePasswordHash } from '../../../src/users/password-hash.ts'
import { parseEmail, parseIdentifier, parseUsername } from '../../../src/users/user-names.ts'
import { PASSWORD_VECTORS } from '../../users/password-vectors.ts'
import { type FuzzTarget, holds, isSame, textOf } from '../fuzz-target.ts'

const hash: FuzzTarget = {
  name: 'password-hash',
  covers: [
    'src/users/password-hash.ts parsePasswordHash',
    'src/users/password-hash.ts parseForeignHash',
    'src/users/argon2-parameters.ts parseParameters',
  ],
  within: [
    ...[
      'argon2-scheme',
      'bcrypt-scheme',
      'django-pbkdf2',
      'django-scrypt',
      'firebase-scrypt',
      'hash-text',
    ],
  ].map((name) => `src/users/password-schemes/${name}.ts`),
  seeds: PASSWORD_VECTORS.map(({ hash: text }) => text),
  tokens: [
    '$',
    ',',
    '=',
    'm=',
    't=',
    'p=',
    'v=19',
    '$argon2id$',
    '$2b$',
    '$2y$',
    ',keyid=qw',
    'rounds=',
    '0',
    '1',
    '99',
    '9999999',
    '==',
    '.',
    '/',
    '+',
  ],
  lengthMax: 1_100,
  check(input) {
    const text = textOf(input)
    const read = parsePasswordHash(text)
    isSame(
      parseForeignHash(text) !== undefined,
      read !== undefined && read.pepperId === undefined,
      'a foreign hash has no pepper',
    )
    if (!read) return false
    holds(/^[\x21-\x7e]+$/.test(text), 'printable')
    holds(Number.isSafeInteger(read.cost.work) && read.cost.work > 0, 'a cost that can be counted')
    const [family] = read.cost.group.split(' ')
    if (family === 'argon2') checkArgon2(text, read.cost.settings)
    if (family === 'bcrypt') isSame(2 ** bcrypt.getRounds(text), read.cost.work, 'the rounds')
    holds(parsePasswordHash(`${text} `) === undefined, 'nothing behind it')
    return true
  },
}

/** The package reads PHC strings itself, with any parameters. */
function checkArgon2(text: string, settings: string): void {
  const parameters = parseParameters(settings)
  holds(parameters !== undefined, 'parameters that were written again')
  const { memoryKib: memoryCost, time: timeCost, parallelism } = parameters
  isSame(argon2.needsRehash(text, { memoryCost, timeCost, parallelism }), false, 'the parameters')
}

const names: FuzzTarget = {
  name: 'user-names',
  covers: [
    'src/users/user-names.ts parseUsername',
    'src/users/user-names.ts parseEmail',
    'src/users/user-names.ts parseIdentifier',
  ],
  within: ['src/runtime/name-key.ts'],
  seeds: [
    'alice',
    'Stra\u00dfe.x',
    ' a@b.test ',
    '\u0130i\u0307',
    '\u13a0\uab70',
    '\ufb01n',
    '\u1fb3@x',
    'a\u200db@c',
    '\ufdfa'.repeat(20),
    '\ue0ff@a',
  ],
  tokens: [
    '@',
    '.',
    '-',
    '_',
    '\u00df',
    '\u1e9e',
    '\u0131',
    '\u03c2',
    '\u0345',
    '\u13f8',
    '\uff21',
    '\u202e',
    '\u00a0',
    '\u2126',
    '\u0301',
    '\ue010',
    '\u{1d400}',
  ],
  lengthMax: 512,
  check(input) {
    const text = textOf(input)
    const [username, email] = [parseUsername(text), parseEmail(text)]
    const identifier = parseIdentifier(text)
    for (const [parsed, parse] of [
      [username, parseUsername],
      [email, parseEmail],
    ] as const) {
      if (!parsed) continue
      isSame(parse(parsed.value), parsed, 'a name that was written again')
      isSame(parsed.value, text.normalize('NFKC'), 'the name')
      const folded = foldCase(parsed.value)
      isSame(
        parse(folded.normalize('NFKC'))?.key ?? parsed.key,
        parsed.key,
        'one key for every case',
      )
      isSame(nameKey(parsed.key), parsed.key, 'a key is the key of itself')
      const again = Buffer.from(parsed.value).toString()
      isSame(again, parsed.value, 'no half of a character')
    }
    holds(!(username && email), 'no username is an email')
    holds(!username?.value.includes('@'), 'no username has an at sign')
    if (identifier && 'emailKey' in identifier)
      isSame(identifier.emailKey, parseEmail(text.trim())?.key, 'the email')
    return identifier !== undefined
  },
}

export const PASSWORD_TARGETS: readonly FuzzTarget[] = [hash, names]
