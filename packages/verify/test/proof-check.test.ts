// Tokens that are bound to a key: only with a good proof, each proof once (RFC 9449 §4.3, §7).

import { randomBytes } from 'node:crypto'
import { calculateJwkThumbprint, exportJWK } from 'jose'
import { test } from 'tap'
import { makeFreshKeys } from '../../client/src/fresh-keys.ts'
import { createProofNonces } from '../src/proof-nonces.ts'
import { createProofReplays } from '../src/proof-replays.ts'
import { createVerifier, type DpopOptions } from '../src/verifier.ts'
import { AUDIENCE, startIssuerScene } from './issuer-scene.ts'
import { hashOf, makeProofKey, type ProofKey } from './proof-scene.ts'

const URL_ASKED = 'https://api.example.test/notes?page=2'
const ALGS = 'algs="ES256 EdDSA Ed25519 RS256 PS256"'

async function openScene(t: Parameters<typeof startIssuerScene>[0], dpop: DpopOptions = {}) {
  const scene = await startIssuerScene(t)
  const issuerKey = await scene.makeKey('key')
  const key = await makeProofKey()
  const { issuer, nowMs } = scene
  const verifier = createVerifier({ issuer, audience: AUDIENCE, nowMs, dpop })
  const token = await scene.sign(issuerKey, { cnf: { jkt: key.thumbprint } })
  const claims = () => ({
    htm: 'GET',
    htu: 'https://api.example.test/notes',
    iat: Math.floor(nowMs() / 1000),
    ath: hashOf(token),
  })
  const ask = async (
    proof: string | undefined,
    authorization = `DPoP ${token}`,
    url: string = URL_ASKED,
  ) => {
    const request = { method: 'GET', url, authorization, dpop: proof, certificate: undefined }
    const result = await verifier.authorize(request)
    if (result.ok) return ['ok', result.headers['dpop-nonce']].filter(Boolean).join(' ')
    const { status, reason, headers } = result.refusal
    return `${status} ${reason}: ${headers['www-authenticate'] ?? headers['retry-after']}`
  }
  return { scene, issuerKey, key, token, claims, ask }
}

test('a good proof lets a bound token pass, once', async (t) => {
  const { scene, key, claims, ask } = await openScene(t)
  const proof = await key.prove(claims())
  t.equal(await ask(proof), 'ok')
  const replayed = `401 proof_replayed: DPoP error="invalid_dpop_proof", ${ALGS}`
  t.equal(await ask(proof), replayed)
  t.equal(
    await ask(await key.prove({ ...claims(), htu: 'HTTPS://API.example.test:443/notes?x#y' })),
    'ok',
  )
  scene.step(30_000)
  t.equal(await ask(proof), replayed)
  scene.step(60_000)
  t.match(await ask(proof), /^401 proof_age/)
})

test('every other proof is refused', async (t) => {
  const { scene, key, token, claims, ask } = await openScene(t)
  const now = Math.floor(scene.nowMs() / 1000)
  const other = await makeProofKey()
  const pair = await makeFreshKeys('ES256')
  const good = claims()
  const bad: Record<string, [string, string]> = {
    'another method': [await key.prove({ ...good, htm: 'POST' }), 'proof_target'],
    'the method in small letters': [await key.prove({ ...good, htm: 'get' }), 'proof_target'],
    'another path': [await key.prove({ ...good, htu: `${good.htu}/1` }), 'proof_target'],
    'another host': [await key.prove({ ...good, htu: 'https://api.test/notes' }), 'proof_target'],
    'another scheme': [
      await key.prove({ ...good, htu: good.htu.replace('s:', ':') }),
      'proof_target',
    ],
    'no URL': [await key.prove({ ...good, htu: '/notes' }), 'proof_target'],
    'too old': [await key.prove({ ...good, iat: now - 62 }), 'proof_age'],
    'of tomorrow': [await key.prove({ ...good, iat: now + 60 }), 'proof_age'],
    'no time': [await key.prove({ ...good, iat: undefined }), 'proof_age'],
    'another token': [await key.prove({ ...good, ath: hashOf(`${token}x`) }), 'proof_token'],
    'no token': [await key.prove({ ...good, ath: undefined }), 'proof_token'],
    'no id': [await key.prove({ ...good, jti: undefined }), 'proof_malformed'],
    'an id without end': [await key.prove({ ...good, jti: 'x'.repeat(257) }), 'proof_malformed'],
    'another type': [await key.prove(good, { typ: 'JWT' }), 'proof_signature'],
    'the signature of another': [await other.prove(good, { jwk: key.jwk }), 'proof_signature'],
    'a key without its members': [
      await key.prove(good, { jwk: { kty: 'EC', crv: 'P-256' } }),
      'proof_malformed',
    ],
    'a private key': [
      await key.prove(good, { jwk: await exportJWK(pair.privateKey) }),
      'proof_malformed',
    ],
    'no key': [await key.prove(good, { jwk: undefined }), 'proof_malformed'],
    'two proofs': [`${await key.prove(good)}, ${await key.prove(good)}`, 'proof_signature'],
    'no JWT': ['x', 'proof_malformed'],
    'an algorithm that is not listed': [
      await (await makeProofKey('ES384')).prove(good),
      'proof_malformed',
    ],
  }
  for (const [what, [proof, reason]] of Object.entries(bad)) {
    t.equal(await ask(proof), `401 ${reason}: DPoP error="invalid_dpop_proof", ${ALGS}`, what)
  }
  t.equal(
    await ask(await other.prove(good)),
    `401 proof_key: DPoP error="invalid_token", ${ALGS}`,
    'a good proof by another key: the token is not his',
  )
  t.match(
    await ask(await key.prove(good, { jwk: other.jwk })),
    /^401 proof_key/,
    'and that is seen before its signature is looked at',
  )
  t.match(await ask(undefined), /^401 proof_missing: DPoP error="invalid_dpop_proof"/)
})

test('an RSA key has 2048 to 4096 bits and the usual exponent', async (t) => {
  const { scene, issuerKey, claims, ask } = await openScene(t)
  const askWith = async (key: ProofKey, jwk = key.jwk) => {
    const cnf = { jkt: await calculateJwkThumbprint(jwk) }
    const bound = await scene.sign(issuerKey, { cnf })
    const proof = await key.prove({ ...claims(), ath: hashOf(bound) }, { jwk })
    return (await ask(proof, `DPoP ${bound}`)).split(':')[0]
  }
  const key = await makeProofKey('RS256')
  t.equal(await askWith(key), 'ok')
  t.equal(await askWith(key, { ...key.jwk, e: 'Aw' }), '401 proof_malformed')
  t.equal(await askWith(key, { ...key.jwk, e: '_____w' }), '401 proof_malformed')
  for (const length of [0, 128, 255, 513, 1024]) {
    const n = Buffer.alloc(length, 0xff).toString('base64url') || 'A'
    t.equal(await askWith(key, { ...key.jwk, n }), '401 proof_malformed', `${length} bytes`)
  }
  const padded = Buffer.concat([Buffer.alloc(129), Buffer.alloc(128, 0xff)])
  const n = padded.toString('base64url')
  t.equal(await askWith(key, { ...key.jwk, n }), '401 proof_malformed', 'bytes of nothing in front')
})

test('a bound token is no bearer token, and a bearer token is none that is bound', async (t) => {
  const { scene, issuerKey, key, token, claims, ask } = await openScene(t)
  const proof = await key.prove(claims())
  t.equal(
    await ask(proof, `Bearer ${token}`),
    `401 binding_scheme: Bearer error="invalid_token", DPoP ${ALGS}`,
  )
  const plain = await scene.sign(issuerKey)
  const forPlain = await key.prove({ ...claims(), ath: hashOf(plain) })
  t.match(await ask(forPlain, `DPoP ${plain}`), /^401 binding_scheme: DPoP error="invalid_token"/)
  const { issuer, nowMs } = scene
  const without = createVerifier({ issuer, audience: AUDIENCE, nowMs, dpop: false })
  const request = { method: 'GET', url: URL_ASKED, dpop: proof, certificate: undefined }
  t.match(await without.authorize({ ...request, authorization: `Bearer ${token}` }), {
    refusal: { reason: 'binding_scheme' },
  })
})

test('a nonce is demanded, given with every answer, and good for a while (RFC 9449 §9)', async (t) => {
  let stepped = 0
  const nonces = createProofNonces(randomBytes(32), { nowMs: () => Date.now() + stepped })
  const { scene, key, claims, ask } = await openScene(t, { nonces })
  const demand = `401 proof_nonce: DPoP error="use_dpop_nonce", ${ALGS}`
  t.equal(await ask(await key.prove(claims())), demand)
  t.equal(await ask(await key.prove({ ...claims(), nonce: 'x' })), demand)
  const nonce = nonces.current()
  t.match(await ask(await key.prove({ ...claims(), nonce })), /^ok ./)
  stepped = 120_000
  scene.step(120_000)
  t.match(await ask(await key.prove({ ...claims(), nonce })), /^ok ./, 'two windows long at most')
  stepped = 240_000
  scene.step(120_000)
  t.equal(await ask(await key.prove({ ...claims(), nonce })), demand)
  t.throws(() => createProofNonces(randomBytes(31)), RangeError)
})

test('what is remembered of proofs has a bound, and nobody takes the room of others', async (t) => {
  let now = 0
  const replays = createProofReplays(() => now, { max: 5, maxOfKey: 3 })
  for (const id of ['1', '2', '3']) t.equal(replays.take('a', id, 100), true)
  t.equal(replays.take('a', '1', 100), false)
  t.throws(() => replays.take('a', '4', 100), { name: 'UnavailableError' })
  t.equal(replays.take('b', '1', 100), true, 'another key has its own ids and room')
  t.equal(replays.take('c', '1', 100), true)
  t.throws(() => replays.take('d', '1', 100), { name: 'UnavailableError' })
  now = 100
  t.equal(replays.take('a', '1', 200), true)
})

test('a clock set back makes no room run out, and nothing seen before is forgotten', (t) => {
  let now = 3_600_000
  const replays = createProofReplays(() => now, { max: 3 })
  t.equal(replays.take('a', 'before', now + 100), true)
  now = 0
  for (let i = 0; i < 10; i += 1) {
    t.equal(replays.take('a', `${i}`, now + 100), true)
    now += 100
  }
  now = 3_600_000
  t.equal(replays.take('a', 'before', now + 100), false)
  now += 100
  t.equal(replays.take('a', 'before', now + 100), true)
  t.end()
})
