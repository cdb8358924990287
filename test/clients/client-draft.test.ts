import { test } from 'tap'
import { type ClientInput, draftClient } from '../../src/clients/client-draft.ts'
import { CHOICES, LIMITS, MINIMAL } from '../scenes/client-fixtures.ts'

const PUBLIC = { ...MINIMAL, type: 'public', grantTypes: ['password', 'refresh_token'] } as const

/** The pointers of everything that is wrong with the least client plus `input`. */
function pointersOf(input: ClientInput, base: ClientInput = MINIMAL): string[] {
  const checked = draftClient({ ...base, ...input }, LIMITS, CHOICES)
  return checked.ok ? [] : checked.errors.map((error) => error.pointer)
}

test('fills in the defaults of a confidential client', async (t) => {
  t.strictSame(draftClient(MINIMAL, LIMITS, CHOICES), {
    ok: true,
    value: {
      ...MINIMAL,
      scopes: [],
      defaultScopes: [],
      audiences: [],
      authMethods: ['client_secret_basic', 'client_secret_post'],
      accessTokenTtlSeconds: null,
      refreshIdleTtlSeconds: null,
      refreshAbsoluteTtlSeconds: null,
      refreshGraceSeconds: null,
      tokenDelivery: 'body',
      accessTokenCookie: false,
      allowedOrigins: [],
      forwardsClientIp: false,
      requireFactor: false,
      jwks: null,
      jwksUri: null,
      allowPrivateNetwork: false,
      assertionAlgs: [],
      federatedIdentities: [],
      exchange: [],
      dpopBoundAccessTokens: false,
      tlsClientAuth: null,
      tlsClientCertificateBoundAccessTokens: false,
      refreshRotation: 'always',
      refreshRotateAfterSeconds: 0,
      signingAlg: null,
    },
  })
})

test('a public client authenticates with none by default', async (t) => {
  const checked = draftClient(PUBLIC, LIMITS, CHOICES)
  t.match(checked, { ok: true, value: { authMethods: ['none'] } })
})

test('name, type and grantTypes are required, and null is absent (RFC 7396)', async (t) => {
  t.strictSame(pointersOf({}, {}), ['/name', '/type', '/grantTypes'])
  t.strictSame(pointersOf({ name: null }), ['/name'])
  const nulls = { scopes: null, authMethods: null, refreshGraceSeconds: null, tokenDelivery: null }
  t.strictSame(
    draftClient({ ...MINIMAL, ...nulls }, LIMITS, CHOICES),
    draftClient(MINIMAL, LIMITS, CHOICES),
  )
})

test('says everything that is wrong at once, and never repeats a value', async (t) => {
  const checked = draftClient({ ...MINIMAL, name: '', audiences: ['se cret'] }, LIMITS, CHOICES)
  t.match(checked, { ok: false, errors: [{ pointer: '/name' }, { pointer: '/audiences/0' }] })
  t.notMatch(JSON.stringify(checked), /se cret/)
})

const long = (length: number) => 'a'.repeat(length)
const many = (length: number) => Array.from({ length }, (_, index) => `item-${index}`)

const refused: [rule: string, input: ClientInput, pointer: string, base?: ClientInput][] = [
  ['an empty name', { name: '' }, '/name'],
  ['a blank name', { name: ' \u00a0 ' }, '/name'],
  ['a name over 200 characters', { name: long(201) }, '/name'],
  ['a control character in the name', { name: 'a\u0000b' }, '/name'],
  ['a lone surrogate in the name', { name: 'a\ud800' }, '/name'],
  ['a grant type twice', { grantTypes: ['password', 'password'] }, '/grantTypes/1'],

  ['an empty scope', { scopes: [''] }, '/scopes/0'],
  ['a space in a scope (C14)', { scopes: ['a', 'b c'] }, '/scopes/1'],
  ['a quote in a scope (C14)', { scopes: ['a"'] }, '/scopes/0'],
  ['a backslash in a scope (C14)', { scopes: ['a\\'] }, '/scopes/0'],
  ['a letter beyond ASCII in a scope (C14)', { scopes: ['é'] }, '/scopes/0'],
  ['a trailing newline in a scope (C14)', { scopes: ['a\n'] }, '/scopes/0'],
  ['a scope over 128 characters', { scopes: [long(129)] }, '/scopes/0'],
  ['a scope twice', { scopes: ['a', 'b', 'a'] }, '/scopes/2'],
  ['over 100 scopes', { scopes: many(101) }, '/scopes'],
  [
    'scopes and audiences that no token of 8 KiB has room for (C72)',
    { scopes: many(16).map((item) => item.padEnd(128, 'x')), audiences: [long(512)] },
    '/scopes',
  ],
  [
    'a default scope outside of scopes',
    { scopes: ['a'], defaultScopes: ['b'] },
    '/defaultScopes/0',
  ],
  ['a default scope in another case', { scopes: ['a'], defaultScopes: ['A'] }, '/defaultScopes/0'],
  ['a default scope twice', { scopes: ['a'], defaultScopes: ['a', 'a'] }, '/defaultScopes/1'],

  ['an empty audience', { audiences: [''] }, '/audiences/0'],
  ['white space in an audience', { audiences: ['a\u00a0b'] }, '/audiences/0'],
  ['a control character in an audience', { audiences: ['a\u007f'] }, '/audiences/0'],
  ['an audience over 512 characters', { audiences: [long(513)] }, '/audiences/0'],
  ['an audience twice', { audiences: ['https://a', 'https://a'] }, '/audiences/1'],
  ['over 100 audiences', { audiences: many(101) }, '/audiences'],

  ['no authentication method', { authMethods: [] }, '/authMethods'],
  ['a confidential client with none', { authMethods: ['none'] }, '/authMethods'],
  [
    'a confidential client with none beside a secret method',
    { authMethods: ['client_secret_basic', 'none'] },
    '/authMethods',
  ],
  [
    'a method twice',
    { authMethods: ['client_secret_post', 'client_secret_post'] },
    '/authMethods/1',
  ],
  [
    'a public client with a secret method',
    { authMethods: ['client_secret_post'] },
    '/authMethods',
    PUBLIC,
  ],
  ['a public client without a method', { authMethods: [] }, '/authMethods', PUBLIC],
  [
    'a public client with client_credentials (C46)',
    { grantTypes: ['client_credentials'] },
    '/grantTypes',
    PUBLIC,
  ],

  ['cookie delivery without origins', { tokenDelivery: 'cookie' }, '/allowedOrigins'],
  ['over 100 origins', { allowedOrigins: many(101) }, '/allowedOrigins'],

  ['a TTL of 0', { refreshIdleTtlSeconds: 0 }, '/refreshIdleTtlSeconds'],
  [
    'a TTL over ten years',
    { refreshAbsoluteTtlSeconds: 315_360_001 },
    '/refreshAbsoluteTtlSeconds',
  ],
  ['a TTL that is no whole number', { refreshIdleTtlSeconds: 1.5 }, '/refreshIdleTtlSeconds'],
  ['a negative grace', { refreshGraceSeconds: -1 }, '/refreshGraceSeconds'],
  ['a grace over 300', { refreshGraceSeconds: 301 }, '/refreshGraceSeconds'],
  [
    'an idle TTL over the absolute one',
    { refreshIdleTtlSeconds: 61, refreshAbsoluteTtlSeconds: 60 },
    '/refreshIdleTtlSeconds',
  ],
  [
    'the configured idle TTL over the absolute one',
    { refreshAbsoluteTtlSeconds: 60 },
    '/refreshIdleTtlSeconds',
  ],
  [
    'an idle TTL over the configured absolute one',
    { refreshIdleTtlSeconds: 7_776_001 },
    '/refreshIdleTtlSeconds',
  ],
  [
    'an access-token TTL that is the grace',
    { accessTokenTtlSeconds: 60, refreshGraceSeconds: 60 },
    '/accessTokenTtlSeconds',
  ],
  [
    'an access-token TTL that is the configured grace',
    { accessTokenTtlSeconds: 30 },
    '/accessTokenTtlSeconds',
  ],
]

for (const [rule, input, pointer, base] of refused) {
  test(`refuses ${rule}`, async (t) => {
    t.strictSame(pointersOf(input, base), [pointer])
  })
}

const accepted: [rule: string, input: ClientInput, base?: ClientInput][] = [
  ['a name of 200 characters beyond the basic plane', { name: '😀'.repeat(200) }],
  ['no grant type: a client that only introspects', { grantTypes: [] }],
  ['every character that a scope may have (C14)', { scopes: ['!#[]~', 'lineage:admin', 'Read'] }],
  ['100 scopes', { scopes: many(100) }],
  ['a scope of 128 characters', { scopes: [long(128)] }],
  ['an audience that is no URL', { audiences: ['orders', 'https://api.example/v1?x'] }],
  ['one secret method', { authMethods: ['client_secret_basic'] }],
  [
    'cookie delivery with an origin',
    { tokenDelivery: 'cookie', allowedOrigins: ['https://a.example'] },
  ],
  ['a grace of 0', { refreshGraceSeconds: 0, accessTokenTtlSeconds: 1 }],
  ['a grace of 300', { refreshGraceSeconds: 300, accessTokenTtlSeconds: 301 }],
  [
    'an idle TTL that is the absolute one',
    { refreshIdleTtlSeconds: 60, refreshAbsoluteTtlSeconds: 60 },
  ],
  ['a TTL of ten years', { refreshAbsoluteTtlSeconds: 315_360_000 }],
]

for (const [rule, input, base] of accepted) {
  test(`accepts ${rule}`, async (t) => {
    t.strictSame(pointersOf(input, base), [])
  })
}

test('an origin is one as a browser serialises it (RFC 6454 §6.2)', async (t) => {
  const good = [
    'https://app.example',
    'http://localhost:5173',
    'http://[::1]:8080',
    'https://a:8443',
    // Pages within an app or an extension.
    ...['capacitor://localhost', 'ionic://localhost', 'tauri://localhost'],
    'chrome-extension://abcdefghijklmnopabcdefghijklmnop',
    'moz-extension://3e1d9d4c-8a57-4c8e-b1a9-70f2c5d6e8ab',
  ]
  t.strictSame(pointersOf({ allowedOrigins: good }), [])
  for (const origin of [
    '',
    '*',
    'null',
    'app.example',
    'https://',
    'https://app.example/',
    'https://app.example/path',
    'https://app.example?x',
    'https://app.example#x',
    'https://APP.example',
    'HTTPS://app.example',
    'https://app.example:443',
    'http://app.example:80',
    'https://user@app.example',
    'https://*.example',
    'https://a,b',
    'https://a:99999',
    ' https://app.example',
    'https://app.example\n',
    'https://bücher.example',
    'https://app.example,https://b.example',
    'file:///',
    'data:text/html,x',
    'ftp://app.example',
    ...['capacitor://', 'capacitor://localhost/', 'capacitor://*', 'Capacitor://localhost'],
    ...['javascript://localhost', 'ws://localhost', 'about:blank', 'blob:https://app.example'],
    `https://${long(250)}.example`,
  ]) {
    t.strictSame(pointersOf({ allowedOrigins: [origin] }), ['/allowedOrigins/0'], origin)
  }
})

test('no access token is bound and in a cookie, where nothing proves it', async (t) => {
  const cookie = {
    tokenDelivery: 'cookie',
    accessTokenCookie: true,
    allowedOrigins: ['https://app.example.test'],
  } as const
  t.strictSame(pointersOf(cookie, PUBLIC), [])
  for (const binding of ['dpopBoundAccessTokens', 'tlsClientCertificateBoundAccessTokens']) {
    t.strictSame(pointersOf({ ...cookie, [binding]: true }, PUBLIC), ['/accessTokenCookie'])
    t.strictSame(pointersOf({ [binding]: true }, PUBLIC), [])
  }
})
