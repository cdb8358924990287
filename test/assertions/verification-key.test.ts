// Which keys of others are taken, and for what.

import type { JsonWebKey } from 'node:crypto'
import { test } from 'tap'
import { openVerificationKey } from '../../src/assertions/verification-key.ts'
import { makeKeyPairSync } from '../../src/runtime/key-pair.ts'

const EC = makeKeyPairSync('ec', { namedCurve: 'P-256' })
const ED = makeKeyPairSync('ed25519')
const RSA = makeKeyPairSync('rsa', { modulusLength: 2048 })
/** Odd, of 8,192 bits: nobody has to know a private key for it to be slow. */
const SLOW_MODULUS = Buffer.alloc(1024, 0xff).toString('base64url')
const jwkOf = ({ publicKey }: typeof EC): JsonWebKey => publicKey.export({ format: 'jwk' })
const privateOf = ({ privateKey }: typeof EC): JsonWebKey => privateKey.export({ format: 'jwk' })

test('a key verifies what fits its type, or only what it says', async (t) => {
  const cases: [JsonWebKey, string[]][] = [
    [jwkOf(EC), ['ES256']],
    [jwkOf(ED), ['EdDSA', 'Ed25519']],
    [{ ...jwkOf(ED), alg: 'Ed25519' }, ['EdDSA', 'Ed25519']],
    [{ ...jwkOf(ED), alg: 'EdDSA' }, ['EdDSA', 'Ed25519']],
    [jwkOf(RSA), ['RS256', 'PS256']],
    [{ ...jwkOf(RSA), alg: 'PS256', use: 'sig', key_ops: ['verify'], kid: 'a' }, ['PS256']],
    [{ ...jwkOf(RSA), x5c: ['…'], x5u: 'https://elsewhere.example' }, ['RS256', 'PS256']],
  ]
  for (const [jwk, algs] of cases) {
    const { key, problem } = openVerificationKey(jwk)
    t.equal(problem, undefined)
    t.strictSame(key?.algs, algs)
  }
})

test('a key that is private, weak, for something else or none is refused', async (t) => {
  const weak = makeKeyPairSync('rsa', { modulusLength: 1024 })
  const small = makeKeyPairSync('rsa', { modulusLength: 2048, publicExponent: 3 })
  const cases: [string, unknown, RegExp][] = [
    ['a private EC key', privateOf(EC), /private/],
    ['a private RSA key', privateOf(RSA), /private/],
    ['a private Ed25519 key', privateOf(ED), /private/],
    ['a shared secret', { kty: 'oct', k: 'c2VjcmV0' }, /private/],
    ['a symmetric type', { kty: 'oct' }, /kty/],
    ['no type', { ...jwkOf(EC), kty: undefined }, /kty/],
    ['an inherited type', { ...jwkOf(EC), kty: 'constructor' }, /kty/],
    ['another curve', jwkOf(makeKeyPairSync('ec', { namedCurve: 'P-384' })), /crv/],
    ['Ed448', jwkOf(makeKeyPairSync('ed448')), /crv/],
    ['X25519', jwkOf(makeKeyPairSync('x25519')), /crv/],
    ['a curve on RSA', { ...jwkOf(RSA), crv: 'P-256' }, /crv/],
    ['a point off the curve', { ...jwkOf(EC), y: jwkOf(EC).x }, /read/],
    ['half a point', { ...jwkOf(EC), y: undefined }, /read/],
    ['a number for a coordinate', { ...jwkOf(EC), x: 1 }, /read/],
    ['1024 bits', jwkOf(weak), /bits/],
    ['the exponent 3', jwkOf(small), /bits/],
    ['8192 bits', { ...jwkOf(RSA), n: SLOW_MODULUS }, /bits/],
    ['a slow exponent', { ...jwkOf(RSA), e: '_____w' }, /bits/],
    ['encryption', { ...jwkOf(RSA), use: 'enc' }, /use/],
    ['signing only', { ...jwkOf(RSA), key_ops: ['sign'] }, /key_ops/],
    ['no operations in a list', { ...jwkOf(RSA), key_ops: 'verify' }, /key_ops/],
    ['another alg', { ...jwkOf(EC), alg: 'RS256' }, /alg/],
    ['an alg that we lack', { ...jwkOf(RSA), alg: 'RS512' }, /alg/],
    ['HMAC over a public key', { ...jwkOf(RSA), alg: 'HS256' }, /alg/],
    ['none', { ...jwkOf(RSA), alg: 'none' }, /alg/],
    ['a kid that is a number', { ...jwkOf(EC), kid: 1 }, /kid/],
    ['a long kid', { ...jwkOf(EC), kid: 'k'.repeat(513) }, /kid/],
    ['a text', 'key', /kty/],
    ['nothing', null, /kty/],
  ]
  for (const [what, jwk, expected] of cases) {
    const { key, problem = '' } = openVerificationKey(jwk)
    t.equal(key, undefined, what)
    t.match(problem, expected, what)
  }
})
