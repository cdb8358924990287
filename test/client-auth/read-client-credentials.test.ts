import { test } from 'tap'
import { readClientCredentials } from '../../src/client-auth/read-client-credentials.ts'
import type { OAuthReason } from '../../src/oauth/oauth-error.ts'
import { requestWith } from '../scenes/client-fixtures.ts'

type Parts = Parameters<typeof requestWith>[0]

function parse(parts: Parts) {
  const { method, clientId, proof } = readClientCredentials(requestWith(parts))
  return { method: method.method, clientId, clientSecret: proof || undefined }
}
const encode = (pair: string | Buffer) => Buffer.from(pair).toString('base64')
const basic = (pair: string | Buffer) => `Basic ${encode(pair)}`

test('reads Basic credentials (RFC 6749 §2.3.1)', async (t) => {
  t.strictSame(parse({ authorization: basic('web:s3cret') }), {
    method: 'client_secret_basic',
    clientId: 'web',
    clientSecret: 's3cret',
  })
})

test('form-decodes id and secret after base64 (C25)', async (t) => {
  const cases: [pair: string, clientId: string, clientSecret: string][] = [
    ['a%3Ab:c%3ad', 'a:b', 'c:d'],
    ['a+b:c+%2B%25', 'a b', 'c +%'],
    ['id:p%C3%A4%E2%82%AC%F0%9F%98%80', 'id', 'pä€😀'],
    ['id:a:b:', 'id', 'a:b:'],
    ['id:ä', 'id', 'ä'],
    ['id:%EF%BB%BFx', 'id', '\ufeffx'],
    ['id:a&b=c', 'id', 'a&b=c'],
  ]
  for (const [pair, clientId, clientSecret] of cases) {
    t.match(parse({ authorization: basic(pair) }), { clientId, clientSecret }, pair)
  }
})

test('the scheme is case-insensitive and may be followed by spaces (RFC 9110 §11.1)', async (t) => {
  for (const scheme of ['basic ', 'BASIC ', 'BaSiC   ']) {
    t.match(parse({ authorization: scheme + encode('web:x') }), { clientId: 'web' }, scheme)
  }
})

test('reads credentials from the body, and an id alone', async (t) => {
  t.strictSame(parse({ clientId: 'web', clientSecret: 'x' }), {
    method: 'client_secret_post',
    clientId: 'web',
    clientSecret: 'x',
  })
  t.strictSame(parse({ clientId: 'web' }), {
    method: 'none',
    clientId: 'web',
    clientSecret: undefined,
  })
})

test('Basic with an empty password names a client without a secret', async (t) => {
  const named = { method: 'none', clientId: 'spa', clientSecret: undefined }
  t.strictSame(parse({ authorization: basic('spa:') }), named)
  t.strictSame(parse({ authorization: basic('sp%61:'), clientId: 'spa' }), named)
  const blank = { method: 'client_secret_basic', clientSecret: ' ' }
  t.match(parse({ authorization: basic('spa:+') }), blank, 'a blank is not empty')
})

test('the same client_id beside Basic is fine (C27)', async (t) => {
  const parts = { authorization: basic('we%62:x'), clientId: 'web' }
  t.match(parse(parts), { method: 'client_secret_basic', clientId: 'web' })
})

const refused: [rule: string, reason: OAuthReason, parts: Parts][] = [
  [
    'Basic beside a body secret (C24)',
    'client_two_mechanisms',
    { authorization: basic('web:x'), clientSecret: 'x' },
  ],
  [
    'Basic with an empty password beside a body secret (C24)',
    'client_two_mechanisms',
    { authorization: basic('web:'), clientSecret: 'x' },
  ],
  [
    'malformed Basic beside a body secret, before anything else (C24)',
    'client_two_mechanisms',
    { authorization: 'Basic !', clientId: 'web', clientSecret: 'x' },
  ],
  [
    'another client_id in the body (C27)',
    'client_id_mismatch',
    { authorization: basic('web:x'), clientId: 'other' },
  ],
  ['no client at all (C28)', 'client_absent', {}],
  ['a secret without an id', 'client_absent', { clientSecret: 'x' }],
  ['Bearer (C26)', 'client_scheme_unsupported', { authorization: 'Bearer abc', clientId: 'web' }],
  ['an empty header (C26)', 'client_scheme_unsupported', { authorization: '', clientId: 'web' }],
  [
    'a scheme that begins like Basic',
    'client_scheme_unsupported',
    { authorization: 'Basical d2ViOng=' },
  ],
]

const malformed: [what: string, authorization: string][] = [
  ['nothing after the scheme', 'Basic'],
  ['an empty value', 'Basic '],
  ['no base64', 'Basic web:x'],
  ['base64url', `Basic ${encode('web:~~~???').replaceAll('/', '_').replaceAll('+', '-')}`],
  ['base64 without its padding', basic('web:x').replace(/=+$/, '')],
  ['base64 with bits left over', 'Basic d2ViOnh='],
  ['base64 with a space inside', 'Basic d2Vi Ong='],
  ['two values', `${basic('web:x')}, ${basic('web:x')}`],
  ['no colon', basic('web')],
  ['no id', basic(':x')],
  ['a lone percent sign', basic('web:100%')],
  ['a bad escape', basic('web:%zz')],
  ['an escape that is no UTF-8', basic('web:%FF')],
  ['an overlong escape', basic('web:%C0%AF')],
  ['an escaped surrogate', basic('web:%ED%A0%80')],
  ['bytes that are no UTF-8', basic(Buffer.from([0x77, 0x3a, 0xff]))],
  ['a character that is half raw, half escaped', basic(Buffer.from('w:\xc3%A9', 'latin1'))],
  ['over 4096 characters', basic(`web:${'x'.repeat(4096)}`)],
]

for (const [rule, reason, parts] of refused) {
  test(`refuses ${rule}`, async (t) => {
    t.throws(() => parse(parts), { name: 'OAuthError', reason })
  })
}

for (const [what, authorization] of malformed) {
  test(`refuses a Basic header with ${what}, without repeating it (C26)`, async (t) => {
    const expected = { reason: 'client_header_malformed', code: 'invalid_client', status: 401 }
    t.throws(() => parse({ authorization }), { ...expected, cause: undefined })
  })
}

test('what is malformed is 401, two ways or two ids are 400', async (t) => {
  for (const [, reason, parts] of refused) {
    const isRequestFault = reason === 'client_two_mechanisms' || reason === 'client_id_mismatch'
    t.throws(() => parse(parts), { name: 'OAuthError', status: isRequestFault ? 400 : 401, reason })
  }
})
