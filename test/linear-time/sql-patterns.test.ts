// What PostgreSQL is given to match: each pattern is listed with what it sees and where the length of that ends.
// Its expressions are matched by an automaton, in time proportional to the input, unless they refer back to what
// was captured or look around.

import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'tap'
import { listFiles, ROOT, readTexts } from '../support/repository-text.ts'

const STORED_HASH = 'a hash of a password, bounded in src/users/password-hash.ts'

const OF_POSTGRES: Readonly<Record<string, string>> = {
  '^[$]argon2id[$]v=19[$](?:[a-z0-9,=]*,)?p=([0-9]{1,2})[,$]': STORED_HASH,
  '^[$]argon2id[$]v=19[$](?:[a-z0-9,=]*,)?m=([0-9]{1,7})[,$]': STORED_HASH,
  '^[$]argon2id[$]v=19[$](?:[a-z0-9,=]*,)?t=([0-9]{1,2})[,$]': STORED_HASH,
  '^[$]argon2(?:id|i|d)[$]v=19[$](?:[mtp]=[1-9][0-9]{0,6},){2}[mtp]=[1-9][0-9]{0,6}(?:,keyid=[A-Za-z0-9+/]{2})?[$]':
    STORED_HASH,
  '^[$]2[aby][$](?:0[4-9]|1[0-4])[$]': STORED_HASH,
  '^(?:[$]pbkdf2(?:-sha256|-sha512)?|pbkdf2_(?:sha1|sha256|sha512))[$][1-9][0-9]{0,6}[$]':
    STORED_HASH,
  '^[$]6[$](?:rounds=[1-9][0-9]{0,6}[$])?[./0-9A-Za-z]{1,16}[$]': STORED_HASH,
  '^[$](?:scrypt[$]ln|fbscrypt[$]v=1,n)=[1-9][0-9]?,r=[1-9][0-9]?,p=[1-9][0-9]?[,$]': STORED_HASH,
  '^scrypt:[1-9][0-9]{0,6}:[1-9][0-9]?:[1-9][0-9]?[$]': STORED_HASH,
  '^scrypt[$][1-9][0-9]{0,6}[$][^$]*[$][1-9][0-9]?[$][1-9][0-9]?[$]': STORED_HASH,
  '$argon2id$%,keyid=%': STORED_HASH,
  ',keyid=([A-Za-z0-9+/]{2})[,$]': STORED_HASH,
  '^audit_events_[0-9]{8}$': 'names of our own tables',
}

/** Operators and words with a pattern behind them. */
const MATCHING = /(?:!?~\*?|\bI?LIKE|\bSIMILAR TO)\s+(?:E?'([^'\n]*)')?/gi
/** The same within a text of TypeScript, where a pattern that is not spelled out would be a parameter. */
const QUOTED = /(?:!?~\*?|\bI?LIKE|\bSIMILAR TO) E?'([^'\n]*)'/g
/** Functions of SQL with a pattern among what they are given; `from` is an import in TypeScript. */
const SUBSTRING = /\bsubstring\([^()\n]* from '([^'\n]*)'/gi
const OTHER_FUNCTIONS = /\bregexp_\w+\(|\bstring_to_table\(/i
const REFERS_BACK = /\\\d|\(\?[=!<]/

test('every pattern of SQL is listed, and matched in time proportional to what it sees', async (t) => {
  const paths = listFiles()
  const scripts = paths.filter((path) => path.startsWith('prisma/') && path.endsWith('.sql'))
  const sources = paths.filter((path) => path.startsWith('src/') && path.endsWith('.ts'))
  t.ok(scripts.length > 0 && sources.length > 0)
  const seen = new Set<string>()
  for (const { path, text } of readTexts([...scripts, ...sources])) {
    for (const [whole, pattern] of text.matchAll(path.endsWith('.sql') ? MATCHING : QUOTED)) {
      seen.add(pattern ?? `${path}: ${whole.trim()}`)
    }
    for (const [, pattern = ''] of text.matchAll(SUBSTRING)) seen.add(pattern)
    t.notMatch(text, OTHER_FUNCTIONS, `${path} has no other function that takes a pattern`)
  }
  t.strictSame([...seen].sort(), Object.keys(OF_POSTGRES).sort())
  for (const pattern of seen) t.notMatch(pattern, REFERS_BACK)
})

test('a hash has an end before it is stored', async (t) => {
  const text = readFileSync(join(ROOT, 'src/users/password-hash.ts'), 'utf8')
  t.match(text, /const TEXT_MAX = [\d_]+\n/)
  t.match(text, 'if (text.length > TEXT_MAX) return undefined')
})
