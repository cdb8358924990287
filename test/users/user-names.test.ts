// What a username and an email may be, and how both are compared (docs/semantics.md §6).

import { test } from 'tap'
import { parseEmail, parseIdentifier, parseUsername } from '../../src/users/user-names.ts'

test('a username keeps its case in NFKC and is compared by its folded key', async (t) => {
  t.same(parseUsername('Alice.B_c-9'), { value: 'Alice.B_c-9', key: 'alice.b_c-9' })
  t.same(parseUsername('Ｂｏｂ'), { value: 'Bob', key: 'bob' }, 'full-width letters')
  t.same(parseUsername('Zoe\u0308'), { value: 'Zoë', key: 'zoë' }, 'a combining mark composes')
  t.same(parseUsername('\u212Aelvin'), { value: 'Kelvin', key: 'kelvin' }, 'the Kelvin sign')
  t.same(parseUsername('李雷7')?.value, '李雷7')
})

test('a username is 1 to 64 letters, digits, dots, underscores and hyphens', async (t) => {
  t.ok(parseUsername('a'.repeat(64)))
  t.ok(parseUsername('e\u0301'.repeat(64)), 'counted after NFKC')
  t.ok(parseUsername('𠀀'.repeat(64)), 'counted in code points')
  const refused = ['', '.a', '-a', '_a', 'a b', 'a@b', 'a\0', 'a\n', 'a/b', 'a\ud800']
  refused.push('\u0301a', '\u0e31\u0e01', 'a\u200db', 'a\u200e', '\u202ea', 'a\u00ad')
  for (const text of [...refused, 'a'.repeat(65), '\ufdfa'.repeat(64)]) {
    t.equal(parseUsername(text), undefined, JSON.stringify(text.slice(0, 8)))
  }
})

test('an email has one @ with something on both sides, no space, at most 254', async (t) => {
  t.same(parseEmail('Ann@Example.ORG'), { value: 'Ann@Example.ORG', key: 'ann@example.org' })
  t.same(parseEmail('ann＠example.org')?.value, 'ann@example.org', 'NFKC first')
  t.ok(parseEmail(`${'a'.repeat(252)}@b`))
  const refused = ['', '@', 'a@', '@b', 'a@b@c', 'a b@c', 'a@b\u00a0c', 'a\0@b', 'a@\udfff']
  refused.push(
    'a\u200b@b',
    'a@b\u200d',
    '\u202ea@b',
    '\ufeffa@b',
    'a\u00ad@b',
    'a\u2066@b',
    'a@\u0085b',
  )
  for (const text of [...refused, `${'a'.repeat(253)}@b`, 'ann.example.org']) {
    t.equal(parseEmail(text), undefined, JSON.stringify(text.slice(0, 8)))
  }
})

test('an identifier with an @ is an email, any other a username', async (t) => {
  t.same(parseIdentifier('ANN@example.org'), { emailKey: 'ann@example.org' })
  t.same(parseIdentifier('ANN'), { usernameKey: 'ann' })
  t.equal(parseIdentifier('not a name'), undefined)
  t.equal(parseIdentifier(''), undefined)
  t.equal(parseIdentifier(' \t'), undefined)
  t.equal(parseIdentifier('a b'), undefined)
  t.same(parseIdentifier(' ANN\n'), { usernameKey: 'ann' }, 'blanks around it are cut')
  t.same(parseIdentifier('\u3000ann@example.org\u00a0'), { emailKey: 'ann@example.org' })
  t.equal(parseUsername(' ann'), undefined, 'who makes an account says what it is')
  t.equal(parseEmail('ann@example.org '), undefined)
})

test('an over-long identifier is refused before it is normalised', async (t) => {
  const { normalize } = String.prototype
  const normalized = t.capture(String.prototype, 'normalize', normalize)
  t.ok(parseIdentifier('Ann'))
  t.ok(normalized().length > 0)
  t.equal(parseIdentifier('a'.repeat(1017)), undefined)
  t.same(normalized(), [])
})
