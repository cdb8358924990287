// Which tokens pass and which do not, and what the caller is told (RFC 9068 §4, RFC 6750 §3).

import { test } from 'tap'
import { presentRequest } from '../src/presented-request.ts'
import { createVerifier, type VerifierOptions } from '../src/verifier.ts'
import { UnavailableError } from '../src/verify-errors.ts'
import { AUDIENCE, bearer, type IssuerScene, startIssuerScene } from './issuer-scene.ts'

function openVerifier({ issuer, nowMs }: IssuerScene, more: Partial<VerifierOptions> = {}) {
  return createVerifier({ issuer, audience: AUDIENCE, nowMs, ...more })
}

test('a good token of each algorithm passes', async (t) => {
  const scene = await startIssuerScene(t)
  const algs = ['ES256', 'EdDSA', 'RS256', 'PS256']
  const keys = await Promise.all(algs.map((alg) => scene.makeKey(`key-${alg}`, alg)))
  const verifier = openVerifier(scene)
  for (const key of keys) {
    const claims = { act: { sub: 'agent' }, roles: ['editor'], aud: ['other', AUDIENCE] }
    const result = await verifier.authorize(bearer(await scene.sign(key, claims)))
    t.match(result, { ok: true, claims: { sub: 'user', ...claims } }, `${key.jwk.alg}`)
  }
  const [first] = keys
  if (!first) throw new Error('no key')
  const typed = await scene.sign(first, {}, { typ: 'application/at+jwt' })
  t.match(await verifier.authorize(bearer(typed)), { ok: true }, 'the long name of the type')
  t.equal(scene.asked, 1)
})

test('without an issuer, an audience and keys that are the issuer’s there is no verifier', async (t) => {
  const issuer = 'https://auth.example.test'
  const jwksUri = `${issuer}/jwks`
  const unset = undefined as unknown as string
  for (const [options, name] of [
    [{ issuer: unset, audience: AUDIENCE, jwksUri }, 'issuer'],
    [{ issuer: '', audience: AUDIENCE, jwksUri }, 'issuer'],
    [{ issuer: 'auth', audience: AUDIENCE }, 'issuer'],
    [{ issuer: 'http://auth.example.test', audience: AUDIENCE }, 'issuer'],
    [{ issuer, audience: unset }, 'audience'],
    [{ issuer, audience: [] }, 'audience'],
    [{ issuer, audience: [AUDIENCE, unset] }, 'audience'],
    [{ issuer, audience: AUDIENCE, jwksUri: '' }, 'jwksUri'],
    [{ issuer, audience: AUDIENCE, jwksUri: 'http://localhost.example.test/jwks' }, 'jwksUri'],
    [{ issuer, audience: AUDIENCE, jwksUri: 'file:///jwks' }, 'jwksUri'],
  ] as const) {
    const message = new RegExp(`^${name}: `)
    t.throws(() => createVerifier(options), { name: 'TypeError', message }, JSON.stringify(options))
  }
  const plain = 'http://keys.example.test/jwks'
  for (const more of [
    { jwksUri },
    { jwksUri: 'http://[::1]:8080/jwks' },
    { jwksUri: plain, allowInsecureHttp: true },
  ]) {
    t.ok(createVerifier({ issuer, audience: AUDIENCE, ...more }))
  }
})

test('what a token says is one object for all requests, and nobody changes it', async (t) => {
  const scene = await startIssuerScene(t)
  const key = await scene.makeKey('key')
  const verifier = openVerifier(scene)
  const token = await scene.sign(key, {
    roles: ['reader'],
    act: { sub: 'agent', act: { sub: 'x' } },
  })
  const claims = await verifier.verifyToken(token)
  t.throws(() => Object.assign(claims, { sub: 'admin' }), TypeError)
  t.throws(() => (claims.roles as string[]).push('admin'), TypeError)
  t.throws(() => Object.assign(claims.act?.act ?? {}, { sub: 'y' }), TypeError)
  t.equal(await verifier.verifyToken(token), claims, 'the next request has the same')
})

test('every other token is refused, with the same words outside and a reason inside', async (t) => {
  const scene = await startIssuerScene(t)
  const key = await scene.makeKey('key')
  const rsa = await scene.makeKey('rsa', 'RS256')
  const second = Math.floor(scene.nowMs() / 1000)
  const verifier = openVerifier(scene)
  const good = await scene.sign(key)
  const [header, payload, signature] = good.split('.')
  const none = Buffer.from('{"alg":"none","typ":"at+jwt"}').toString('base64url')
  const bad: Record<string, [string, string]> = {
    'another type': [await scene.sign(key, {}, { typ: 'JWT' }), 'token_type'],
    'no type': [await scene.sign(key, {}, { typ: undefined } as object), 'token_type'],
    'another issuer': [await scene.sign(key, { iss: `${scene.issuer}/` }), 'token_claims'],
    'another audience': [await scene.sign(key, { aud: `${AUDIENCE}/` }), 'token_claims'],
    'no audience': [await scene.sign(key, { aud: undefined }), 'token_claims'],
    'its end': [await scene.sign(key, { exp: second - 6 }), 'token_expired'],
    'no end': [await scene.sign(key, { exp: undefined }), 'token_claims'],
    'not yet': [await scene.sign(key, { nbf: second + 60 }), 'token_not_yet_valid'],
    'no subject': [await scene.sign(key, { sub: undefined }), 'token_claims'],
    'no client': [await scene.sign(key, { client_id: undefined }), 'token_claims'],
    unsigned: [`${none}.${payload}.`, 'token_algorithm'],
    'signed with another key': [
      await scene.sign({ ...key, privateKey: (await scene.makeKey('x')).privateKey }),
      'token_signature',
    ],
    changed: [`${header}.${payload?.slice(0, -2)}AA.${signature}`, 'token_signature'],
    'an algorithm of another key': [await scene.sign(rsa, {}, { kid: 'key' }), 'token_key_unknown'],
    'an unknown key': [await scene.sign(key, {}, { kid: 'other' }), 'token_key_unknown'],
    'no key named': [await scene.sign(key, {}, { kid: undefined } as object), 'token_key_unknown'],
    'a binding that nobody knows': [
      await scene.sign(key, { cnf: { osc: 'x' } }),
      'binding_unknown',
    ],
    'a binding to nothing': [await scene.sign(key, { cnf: {} }), 'binding_unknown'],
    'a binding that is none': [await scene.sign(key, { cnf: 'x' }), 'binding_unknown'],
    'no JWT': ['a.b.c', 'token_malformed'],
    nothing: ['', 'token_malformed'],
    'too long': [`${good}${'A'.repeat(20_000)}`, 'token_malformed'],
  }
  for (const [what, [token, reason]] of Object.entries(bad)) {
    const result = await verifier.authorize(bearer(token))
    t.match(result, { ok: false, refusal: { status: 401, error: 'invalid_token', reason } }, what)
    const challenge = { 'www-authenticate': 'Bearer error="invalid_token"' }
    if (!result.ok) t.strictSame(result.refusal.headers, challenge, what)
  }
  t.match(await verifier.authorize(bearer(good)), { ok: true })
  const rsOnly = openVerifier(scene, { algorithms: ['RS256'] })
  t.match(await rsOnly.authorize(bearer(good)), { refusal: { reason: 'token_algorithm' } })
  for (const algorithms of [['none'], ['HS256', 'ES256'], []]) {
    t.throws(() => openVerifier(scene, { algorithms }), RangeError)
  }
})

test('who brings no token is told of no error, who lacks a scope which one', async (t) => {
  const scene = await startIssuerScene(t)
  const token = await scene.sign(await scene.makeKey('key'))
  const verifier = openVerifier(scene, { dpop: false })
  for (const authorization of [
    undefined,
    'Basic Zm9vOmJhcg==',
    `DPoP ${token}`,
    `Bearers ${token}`,
  ]) {
    const result = await verifier.authorize(bearer(token, { authorization }))
    t.match(result, { refusal: { status: 401, error: 'unauthorized' } })
    if (!result.ok) t.strictSame(result.refusal.headers, { 'www-authenticate': 'Bearer' })
  }
  const wanted = { scope: 'notes:read notes:write' }
  t.match(await verifier.authorize(bearer(token), wanted), {
    refusal: {
      status: 403,
      headers: {
        'www-authenticate': 'Bearer error="insufficient_scope", scope="notes:read notes:write"',
      },
    },
  })
  t.match(await verifier.authorize(bearer(token), { scope: 'notes:read' }), { ok: true })
  t.match(await verifier.authorize(bearer(token, { authorization: `bEARER   ${token} ` })), {
    ok: true,
  })
  t.match(await openVerifier(scene, { requireBound: true }).authorize(bearer(token)), {
    refusal: { error: 'invalid_token', reason: 'binding_missing' },
  })
})

test('a verified token is held until its end or that of its key', async (t) => {
  const scene = await startIssuerScene(t)
  const [key, other] = [await scene.makeKey('key'), await scene.makeKey('other')]
  const token = await scene.sign(key, { exp: Math.floor(scene.nowMs() / 1000) + 400 })
  const verifier = openVerifier(scene, { cachedTokens: 2 })
  const first = await verifier.verifyToken(token)
  t.equal(await verifier.verifyToken(token), first, 'the same claims: nothing was verified again')
  await verifier.verifyToken(await scene.sign(other, { jti: '1' }))
  t.equal(await verifier.verifyToken(token), first)
  await verifier.verifyToken(await scene.sign(other, { jti: '2' }))
  await verifier.verifyToken(await scene.sign(other, { jti: '3' }))
  const again = await verifier.verifyToken(token)
  t.not(again, first, 'the one that was used longest ago makes room')

  scene.step(301_000)
  t.equal(await verifier.verifyToken(token), again, 'its key is still published')
  scene.keys = scene.keys.filter(({ kid }) => kid !== 'key')
  scene.step(301_000 - 201_000)
  t.equal(await verifier.verifyToken(token), again, 'until the keys are looked at again')
  scene.step(4_000)
  await t.rejects(verifier.verifyToken(token), {
    name: 'RefusedTokenError',
    reason: 'token_expired',
  })

  const brief = await scene.sign(other, { exp: Math.floor(scene.nowMs() / 1000) + 3_000 })
  await verifier.verifyToken(brief)
  scene.keys = []
  scene.step(301_000)
  await t.rejects(verifier.verifyToken(brief), {
    name: 'RefusedTokenError',
    reason: 'token_key_unknown',
  })
})

test('whoever must know at once is asked about every good token', async (t) => {
  const scene = await startIssuerScene(t)
  const token = await scene.sign(await scene.makeKey('key'))
  let live: boolean | Error = true
  const isLive = async () => {
    if (live instanceof Error) throw live
    return live
  }
  const verifier = openVerifier(scene, { isLive })
  t.match(await verifier.authorize(bearer(token)), { ok: true })
  live = false
  t.match(await verifier.authorize(bearer(token)), { refusal: { reason: 'token_revoked' } })
  live = new UnavailableError('the list is away', 7)
  t.match(await verifier.authorize(bearer(token)), {
    refusal: { status: 503, headers: { 'retry-after': '7' } },
  })
  live = new Error('a fault of the API')
  await t.rejects(verifier.authorize(bearer(token)), { message: 'a fault of the API' })
})

test('a request of Node is seen as its client sees it', async (t) => {
  const headers = { host: 'api.example.test', authorization: ['a', 'b'], dpop: 'proof' }
  const request = { method: 'POST', url: '/b?c', originalUrl: '/a/b?c', headers }
  t.match(presentRequest(request), {
    method: 'POST',
    url: 'http://api.example.test/a/b?c',
    authorization: 'a, b',
    dpop: 'proof',
    certificate: undefined,
  })
  const tls = { ...request, socket: { encrypted: true, getPeerX509Certificate: () => undefined } }
  t.equal(presentRequest(tls).url, 'https://api.example.test/a/b?c')
  const publicUrl = 'https://public.example.test/base/'
  t.equal(presentRequest(request, { publicUrl }).url, 'https://public.example.test/base/a/b?c')
  const certificate = { ...headers, 'client-cert': ':AAEC:' }
  t.equal(presentRequest({ ...request, headers: certificate }).certificate, undefined)
  const trusted = presentRequest({ ...request, headers: certificate }, { trustClientCert: true })
  t.strictSame([...(trusted.certificate as Uint8Array)], [0, 1, 2])
  for (const bad of ['AAEC', ':AAEC', ':AA!C:', '::', ':AAEC:, :AAEC:']) {
    const given = { ...request, headers: { ...headers, 'client-cert': bad } }
    t.equal(presentRequest(given, { trustClientCert: true }).certificate, undefined, bad)
  }
})
