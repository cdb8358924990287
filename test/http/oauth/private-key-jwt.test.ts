// private_key_jwt at every endpoint that takes it: what is accepted, and every way of cheating
// (RFC 7523 §3).

import { createHmac, type KeyObject } from 'node:crypto'
import { test } from 'tap'
import {
  claimsOf,
  expectRefused,
  expectToken,
  JWT_BEARER,
  lastReason,
  makeKeyClient,
  newKey,
  presentAssertion,
  type SigningKey,
  signAssertion,
} from '../../scenes/assertion-scene.ts'
import { ISSUER, startApp, type TestApp } from '../../support/app.ts'

const EXEMPT = { config: { throttleExempt: ['127.0.0.0/8'] } }
const now = () => Math.floor(Date.now() / 1000)
const encode = (part: unknown) => Buffer.from(JSON.stringify(part)).toString('base64url')

test('every algorithm, with the id beside it or only within (C31, C32)', async (t) => {
  const app = await startApp(t)
  for (const alg of ['ES256', 'EdDSA', 'Ed25519', 'RS256', 'PS256']) {
    const key = newKey('a', alg)
    const id = await makeKeyClient(app, [key])
    await expectToken(t, await presentAssertion(app, await signAssertion(key, claimsOf(id))), alg)
    const beside = await signAssertion(key, claimsOf(id), { typ: 'JWT' })
    await expectToken(t, await presentAssertion(app, beside, { client_id: id }), alg)
  }
})

test('the same client at /introspect and /revoke', async (t) => {
  const app = await startApp(t)
  const key = newKey('a')
  const id = await makeKeyClient(app, [key])
  const issued = await presentAssertion(app, await signAssertion(key, claimsOf(id)))
  const { access_token: token } = (await issued.json()) as { access_token: string }
  const ask = async (path: string) =>
    app.form(path, {
      client_assertion_type: JWT_BEARER,
      client_assertion: await signAssertion(key, claimsOf(id)),
      token,
    })
  t.match(await (await ask('/introspect')).json(), { active: true, client_id: id })
  t.equal((await ask('/revoke')).status, 200)
  t.strictSame(await (await ask('/introspect')).json(), { active: false })
  for (const path of ['/introspect', '/revoke']) {
    const params = { client_assertion_type: JWT_BEARER, client_assertion: 'a.b.c', token }
    await expectRefused(t, app, await app.form(path, params), 'client_assertion_malformed')
  }
})

interface Attack {
  readonly what: string
  /** Behind `client_assertion_`, or as it is. */
  readonly reason: string
  readonly claims?: object
  readonly header?: object
  readonly key?: SigningKey
  /** In place of signing: the header and the claims as they would be. */
  readonly make?: (header: object, claims: object) => string | Promise<string>
}

const KEY = newKey('a')
const OTHER = newKey('a')
const RSA = newKey('a', 'RS256')

function hmac(secret: string | KeyObject) {
  const text = typeof secret === 'string' ? secret : secret.export({ type: 'spki', format: 'pem' })
  return (_header: object, claims: object) => {
    const input = `${encode({ alg: 'HS256', kid: 'a' })}.${encode(claims)}`
    return `${input}.${createHmac('sha256', String(text)).update(input).digest('base64url')}`
  }
}

const raw = (header: string, claims: string) =>
  `${Buffer.from(header).toString('base64url')}.${Buffer.from(claims).toString('base64url')}.AAAA`

const ATTACKS: readonly Attack[] = [
  {
    what: 'alg none',
    reason: 'alg_refused',
    make: (_, claims) => `${encode({ alg: 'none' })}.${encode(claims)}.`,
  },
  {
    what: 'alg None',
    reason: 'alg_refused',
    make: (_, claims) => `${encode({ alg: 'None' })}.${encode(claims)}.`,
  },
  {
    what: 'HMAC under the public key',
    reason: 'alg_refused',
    make: hmac(JSON.stringify(KEY.publicJwk)),
  },
  { what: 'HMAC under nothing', reason: 'alg_refused', make: hmac('') },
  {
    what: 'an algorithm of the prototype',
    reason: 'alg_refused',
    make: (_, claims) => `${encode({ alg: 'constructor' })}.${encode(claims)}.AAAA`,
  },
  { what: 'another key of the same kid', reason: 'signature_wrong', key: OTHER },
  { what: 'another type of key', reason: 'key_unknown', key: RSA },
  { what: 'another kid', reason: 'key_unknown', header: { kid: 'b' } },
  { what: 'a kid that is a path', reason: 'key_unknown', header: { kid: '../../../dev/null' } },
  {
    what: 'a key in the header',
    reason: 'signature_wrong',
    key: OTHER,
    header: { jwk: OTHER.publicJwk },
  },
  {
    what: 'a key elsewhere',
    reason: 'signature_wrong',
    key: OTHER,
    header: { jku: 'https://evil.example/jwks' },
  },
  {
    what: 'a certificate elsewhere',
    reason: 'signature_wrong',
    key: OTHER,
    header: { x5u: 'https://evil.example/x' },
  },
  {
    what: 'no signature',
    reason: 'signature_wrong',
    make: (header, claims) => `${encode(header)}.${encode(claims)}.`,
  },
  {
    what: 'a signature of zeros',
    reason: 'signature_wrong',
    make: (header, claims) =>
      `${encode(header)}.${encode(claims)}.${Buffer.alloc(64).toString('base64url')}`,
  },
  {
    what: 'a critical extension',
    reason: 'malformed',
    header: {},
    make: (header, claims) => `${encode({ ...header, crit: 'exp' })}.${encode(claims)}`,
  },
  {
    what: 'crit',
    reason: 'header_refused',
    make: (header, claims) =>
      `${encode({ ...header, crit: ['exp'], exp: 1 })}.${encode(claims)}.AAAA`,
  },
  {
    what: 'a payload that is not encoded',
    reason: 'header_refused',
    make: (header, claims) => `${encode({ ...header, b64: false })}.${encode(claims)}.AAAA`,
  },
  { what: 'a JWT within a JWT', reason: 'header_refused', header: { cty: 'JWT' } },
  { what: 'an access token', reason: 'type_refused', header: { typ: 'at+jwt' } },
  { what: 'a DPoP proof', reason: 'type_refused', header: { typ: 'dpop+jwt' } },
  {
    what: 'a claim that is there twice',
    reason: 'malformed',
    make: (header) => raw(JSON.stringify(header), '{"iss":"a","iss":"a","sub":"a"}'),
  },
  {
    what: 'a header that is there twice',
    reason: 'malformed',
    make: (_, claims) => raw('{"alg":"none","alg":"ES256"}', JSON.stringify(claims)),
  },
  {
    what: '__proto__',
    reason: 'malformed',
    make: (header) => raw(JSON.stringify(header), '{"__proto__":{"iss":"a"}}'),
  },
  {
    what: 'a list of claims',
    reason: 'malformed',
    make: (header, claims) => `${encode(header)}.${encode([claims])}.AAAA`,
  },
  {
    what: 'JSON in another encoding',
    reason: 'malformed',
    make: (header) =>
      `${encode(header)}.${Buffer.from([0x7b, 0xff, 0x7d]).toString('base64url')}.AAAA`,
  },
  {
    what: 'padding',
    reason: 'malformed',
    make: async (header, claims) =>
      `${await signAssertion(KEY, claims as Record<string, unknown>, header)}=`,
  },
  {
    what: 'another spelling of the signature',
    reason: 'malformed',
    make: async (header, claims) =>
      respell(await signAssertion(KEY, claims as Record<string, unknown>, header)),
  },
  { what: 'five parts', reason: 'malformed', make: () => 'a.b.c.d.e' },
  { what: 'no dots', reason: 'malformed', make: () => 'assertion' },
  { what: 'more than 8 KiB', reason: 'malformed', claims: { pad: 'a'.repeat(8192) } },
  {
    what: 'deep nesting',
    reason: 'malformed',
    claims: { a: JSON.parse(`${'['.repeat(20)}${']'.repeat(20)}`) },
  },
  {
    what: 'the audience of another server',
    reason: 'audience_wrong',
    claims: { aud: 'https://other.example' },
  },
  {
    what: 'another audience as well',
    reason: 'audience_wrong',
    claims: { aud: [ISSUER, 'https://other.example'] },
  },
  {
    what: 'the endpoint as audience',
    reason: 'audience_wrong',
    claims: { aud: `${ISSUER}/token` },
  },
  { what: 'the issuer with a slash', reason: 'audience_wrong', claims: { aud: `${ISSUER}/` } },
  {
    what: 'the issuer in capitals',
    reason: 'audience_wrong',
    claims: { aud: ISSUER.toUpperCase() },
  },
  { what: 'no audience', reason: 'audience_wrong', claims: { aud: undefined } },
  { what: 'an expiry of a second ago', reason: 'expired', claims: { exp: now() - 1 } },
  { what: 'no expiry', reason: 'expired', claims: { exp: undefined } },
  { what: 'an expiry as text', reason: 'expired', claims: { exp: String(now() + 60) } },
  { what: 'ten minutes to live', reason: 'life_too_long', claims: { exp: now() + 600 } },
  { what: 'an nbf to come', reason: 'not_yet_valid', claims: { nbf: now() + 120 } },
  { what: 'an iat to come', reason: 'not_yet_valid', claims: { iat: now() + 120 } },
  { what: 'an iat of an hour ago', reason: 'too_old', claims: { iat: now() - 3600 } },
  { what: 'no jti', reason: 'jti_missing', claims: { jti: undefined } },
  { what: 'a jti that is a list', reason: 'jti_missing', claims: { jti: ['a'] } },
  {
    what: 'another issuer',
    reason: 'client_method_not_allowed',
    claims: { iss: 'https://other.example' },
  },
  { what: 'no issuer', reason: 'client_method_not_allowed', claims: { iss: undefined } },
]

/** The last character of base64url has bits that say nothing; another one decodes to the same bytes. */
function respell(jwt: string): string {
  const alphabet = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_'
  return jwt.slice(0, -1) + alphabet[alphabet.indexOf(jwt.at(-1) ?? '') ^ 1]
}

async function makeAttack(id: string, attack: Attack): Promise<string> {
  const { claims = {}, header = {}, key = KEY, make } = attack
  const all = Object.entries(claimsOf(id, claims)).filter(([, value]) => value !== undefined)
  const said = Object.fromEntries(all)
  return make
    ? await make({ alg: key.alg, kid: key.kid, ...header }, said)
    : signAssertion(key, said, header)
}

test('every forged, foreign or stale assertion has one answer, and a reason of its own (C32-C35)', async (t) => {
  const app = await startApp(t, EXEMPT)
  const id = await makeKeyClient(app, [KEY])
  t.ok(ATTACKS.length >= 30)
  for (const attack of ATTACKS) {
    const answer = await presentAssertion(app, await makeAttack(id, attack), { client_id: id })
    const { what, reason } = attack
    const logged = reason.startsWith('client_') ? reason : `client_assertion_${reason}`
    await expectRefused(t, app, answer, logged, what)
  }
  const good = await signAssertion(KEY, claimsOf(id))
  await expectToken(t, await presentAssertion(app, good), 'after all of them')
})

test('an assertion counts once, and only for a client that may use one', async (t) => {
  const app = await startApp(t, EXEMPT)
  const id = await makeKeyClient(app, [KEY])
  const { id: secretive } = await app.makeClient({
    type: 'confidential',
    grantTypes: ['client_credentials'],
    jwks: { keys: [KEY.publicJwk] },
  })
  const jti = 'the same'
  // An id is used up by a good assertion alone, and by one client for itself.
  const forged = await signAssertion(OTHER, claimsOf(id, { jti }))
  await expectRefused(
    t,
    app,
    await presentAssertion(app, forged),
    'client_assertion_signature_wrong',
  )
  const good = await signAssertion(KEY, claimsOf(id, { jti }))
  await expectToken(t, await presentAssertion(app, good), 'the first time')
  await expectRefused(t, app, await presentAssertion(app, good), 'client_assertion_replayed')
  const twin = await signAssertion(KEY, claimsOf(id, { jti, iat: undefined }))
  await expectRefused(t, app, await presentAssertion(app, twin), 'client_assertion_replayed')
  const another = await makeKeyClient(app, [KEY])
  const same = await signAssertion(KEY, claimsOf(another, { jti }))
  await expectToken(t, await presentAssertion(app, same), 'another client with the same id')

  const unlisted = await signAssertion(KEY, claimsOf(secretive))
  await expectRefused(t, app, await presentAssertion(app, unlisted), 'client_method_not_allowed')
  const unknown = await signAssertion(KEY, claimsOf('nobody'))
  await expectRefused(t, app, await presentAssertion(app, unknown), 'client_unknown')
  const listed = await makeKeyClient(app, [RSA], { assertionAlgs: ['PS256'] })
  const rs = await signAssertion(RSA, claimsOf(listed))
  await expectRefused(t, app, await presentAssertion(app, rs), 'client_assertion_alg_refused')
  const ps = await signAssertion({ ...RSA, alg: 'PS256' }, claimsOf(listed))
  await expectToken(t, await presentAssertion(app, ps), 'the algorithm that is listed')
})

test('one assertion of the exact type, and nothing beside it (C26, C36)', async (t) => {
  const app = await startApp(t, EXEMPT)
  const id = await makeKeyClient(app, [KEY])
  const sign = () => signAssertion(KEY, claimsOf(id))
  const cases: [string, Record<string, string | undefined>, string][] = [
    ['another type', { client_assertion_type: `${JWT_BEARER}x` }, 'client_scheme_unsupported'],
    [
      'the type of a grant',
      { client_assertion_type: 'urn:ietf:params:oauth:grant-type:jwt-bearer' },
      'client_scheme_unsupported',
    ],
    ['no type', { client_assertion_type: undefined }, 'parameter_missing'],
    ['no assertion', { client_assertion: undefined, client_id: id }, 'parameter_missing'],
    ['a secret as well', { client_secret: 'secret' }, 'client_two_mechanisms'],
    ['another id', { client_id: 'somebody-else' }, 'client_id_mismatch'],
  ]
  for (const [what, more, reason] of cases) {
    const answer = await presentAssertion(app, await sign(), more)
    t.equal(answer.status, reason === 'client_scheme_unsupported' ? 401 : 400, what)
    t.equal(lastReason(app.log), reason, what)
  }
  const twice = new URLSearchParams({
    grant_type: 'client_credentials',
    client_assertion_type: JWT_BEARER,
  })
  for (const assertion of [await sign(), await sign()]) twice.append('client_assertion', assertion)
  t.equal((await app.fetch('/token', { method: 'POST', body: twice })).status, 400)
  const both = await app.form(
    '/token',
    {
      grant_type: 'client_credentials',
      client_assertion_type: JWT_BEARER,
      client_assertion: await sign(),
    },
    { authorization: `Basic ${Buffer.from(`${id}:secret`).toString('base64')}` },
  )
  t.equal(both.status, 400)
  t.equal(lastReason(app.log), 'client_two_mechanisms')
  const query = `/token?client_assertion=${await sign()}`
  t.equal((await app.fetch(query, { method: 'POST', body: twice })).status, 400)
})

test('the URL of the endpoint is an audience only where that is configured (C33)', async (t) => {
  const app = await startApp(t, { config: { assertionAudience: 'issuer+endpoint' } })
  const id = await makeKeyClient(app, [KEY])
  for (const aud of [ISSUER, `${ISSUER}/token`, [ISSUER, `${ISSUER}/token`]]) {
    const assertion = await signAssertion(KEY, claimsOf(id, { aud }))
    await expectToken(t, await presentAssertion(app, assertion), String(aud))
  }
  const wrong = await signAssertion(KEY, claimsOf(id, { aud: `${ISSUER}/introspect` }))
  await expectRefused(t, app, await presentAssertion(app, wrong), 'client_assertion_audience_wrong')
})

test('so is its second name, where certificates are asked for (RFC 8705 §5)', async (t) => {
  const mtlsOrigin = 'https://mtls.example.test'
  for (const assertionAudience of ['issuer+endpoint', 'issuer'] as const) {
    const app = await startApp(t, { config: { assertionAudience, mtlsOrigin } })
    const id = await makeKeyClient(app, [KEY])
    const present = async (aud: string) =>
      presentAssertion(app, await signAssertion(KEY, claimsOf(id, { aud })))
    const alias = await present(`${mtlsOrigin}/token`)
    if (assertionAudience === 'issuer+endpoint') await expectToken(t, alias, 'the alias')
    else await expectRefused(t, app, alias, 'client_assertion_audience_wrong')
    const origin = await present(mtlsOrigin)
    await expectRefused(t, app, origin, 'client_assertion_audience_wrong')
  }
})

test('wrong assertions are throttled, and a right one is let in all the same', async (t) => {
  const app = await startApp(t)
  const id = await makeKeyClient(app, [KEY])
  const forge = async () => presentAssertion(app, await signAssertion(OTHER, claimsOf(id)))
  const statuses = new Set<number>()
  for (let count = 0; count < 11; count += 1) statuses.add((await forge()).status)
  t.strictSame([...statuses], [401, 429])
  const good = await signAssertion(KEY, claimsOf(id))
  await expectToken(t, await presentAssertion(app, good), 'the owner of the key')
})

test('metadata lists the method and its algorithms (RFC 8414 §2)', async (t) => {
  const app: TestApp = await startApp(t)
  const answer = await app.fetch('/.well-known/oauth-authorization-server')
  const metadata = (await answer.json()) as Record<string, string[]>
  for (const endpoint of ['token', 'revocation', 'introspection']) {
    t.ok(metadata[`${endpoint}_endpoint_auth_methods_supported`]?.includes('private_key_jwt'))
    t.strictSame(metadata[`${endpoint}_endpoint_auth_signing_alg_values_supported`], [
      ...['ES256', 'EdDSA', 'Ed25519', 'RS256', 'PS256'],
    ])
  }
})
