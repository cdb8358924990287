// The parsers of single settings, by what they take and what they refuse.

import { test } from 'tap'
import {
  BadValue,
  integer,
  isLoopbackHost,
  matching,
  oneOf,
  type Parser,
  parseClientSlug,
  parseDatabaseUrl,
  parseHost,
  parseRootSecrets,
} from '../../src/config/config-values.ts'
import { deriveRootSecret } from '../../src/secrets/root-secret.ts'

const cases: Record<string, { parse: Parser<unknown>; takes: string[]; refuses: string[] }> = {
  'an integer': {
    parse: integer(1, 300),
    takes: ['1', '42', '300'],
    refuses: ['0', '301', '-1', '+1', '1.0', '1e2', '0x10', '007', ' 1', '1 ', '1_0', '١', '9e99'],
  },
  'one of a list': {
    parse: oneOf('auto', 'off'),
    takes: ['auto', 'off'],
    refuses: ['AUTO', 'auto ', 'on', 'constructor'],
  },
  'a pattern': { parse: matching(/^a+$/, 'some a'), takes: ['aa'], refuses: ['ab'] },
  'a host': {
    parse: parseHost,
    takes: ['0.0.0.0', '127.0.0.1', '::', '::1', 'localhost', 'auth-1.example.com'],
    refuses: ['[::1]', 'a b', 'a/b', 'http://a', '-a', 'a:80', 'a_b'],
  },
  'a client slug': {
    parse: parseClientSlug,
    takes: ['ab', 'admin-cli', `a${'b'.repeat(62)}`, 'f0000000-0000-4000-8000-00000000000'],
    refuses: [
      'a',
      '1a',
      '-ab',
      'Admin',
      'a_b',
      `a${'b'.repeat(63)}`,
      'c_0123456789012345678901',
      'f0000000-0000-4000-8000-000000000000',
    ],
  },
  'a database URL': {
    parse: parseDatabaseUrl,
    takes: [
      'postgres://localhost/a',
      'postgresql://u:p%40@db:5432/a?sslmode=require',
      'postgresql:///a?host=/run/postgresql',
    ],
    refuses: [
      'mysql://localhost/a',
      'localhost',
      'postgres:localhost',
      'postgres://u:p%zz@db/a',
      'postgres://u:p#x@db/a',
      'postgres://db:port/a',
      'postgres://u:p@d b/a',
      'postgres://u:p\u0001@db/a',
    ],
  },
}

for (const [name, { parse, takes, refuses }] of Object.entries(cases)) {
  test(`${name}: takes what is good and refuses the rest without repeating it`, async (t) => {
    for (const text of takes) t.doesNotThrow(() => parse(text), text)
    for (const text of refuses) {
      const error = t.throws(() => parse(text), BadValue, text)
      if (text.length > 6) t.notOk(String(error).includes(text), 'is not repeated')
    }
  })
}

test('knows a loopback host by any of its spellings', async (t) => {
  for (const host of ['localhost', 'LocalHost', '127.0.0.1', '127.9.9.9', '::1', '[::1]']) {
    t.ok(isLoopbackHost(host), host)
  }
  for (const host of ['0.0.0.0', '::', '128.0.0.1', '127.0.0.1.example.com', 'localhost.a', '']) {
    t.notOk(isLoopbackHost(host), host)
  }
})

/** A secret of 32 bytes for each first byte; `withId` finds two that share their one-byte id. */
const secretOf = (first: number): Buffer => Buffer.alloc(32, 7).fill(first, 0, 2)

test('the root secrets: the first of the list is current, all are known', async (t) => {
  const [first, second] = [secretOf(1), secretOf(2)]
  const secrets = parseRootSecrets(`${first.toString('base64url')},${second.toString('base64url')}`)
  t.equal(secrets.current.id, deriveRootSecret(first).id)
  t.strictSame(secrets.byId(deriveRootSecret(second).id), deriveRootSecret(second))
  t.equal(secrets.all.length, 2)
})

test('the root secrets: refuses short, lenient and colliding ones without repeating them', async (t) => {
  const good = secretOf(1).toString('base64url')
  // Two of 257 secrets share a byte, by the pigeonhole principle.
  const seen = new Map<number, string>()
  let colliding = ''
  for (let first = 0; colliding === ''; first++) {
    const bytes = Buffer.alloc(32)
    bytes.writeUInt16BE(first)
    const { id } = deriveRootSecret(bytes)
    const twin = seen.get(id)
    if (twin) colliding = `${twin},${bytes.toString('base64url')}`
    seen.set(id, bytes.toString('base64url'))
  }
  const refused = [
    Buffer.alloc(31).toString('base64url'),
    `${good}=`,
    `${good}+`,
    `${good},`,
    `,${good}`,
    `${good}, ${good}`,
    `${good},${good}`,
    // The same bytes in another spelling: the last character has bits to spare.
    `${good.slice(0, -1)}${String.fromCharCode(good.charCodeAt(42) + 1)}`,
    'not base64url at all, but long enough to be one',
    secretOf(1).toString('hex').slice(0, 40),
    Array(17).fill(good).join(),
    colliding,
  ]
  for (const text of refused) {
    const error = t.throws(() => parseRootSecrets(text), BadValue)
    t.notOk(String(error).includes(text.slice(0, 20)), 'is not repeated')
  }
})
