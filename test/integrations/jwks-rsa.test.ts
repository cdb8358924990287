// jwks-rsa finds the key, jsonwebtoken verifies with it. The cache is per kid (10 minutes), and one
// that is not in it is asked for anew each time, without a pause unless `rateLimit` is set.

import jwt from 'jsonwebtoken'
import jwksClient from 'jwks-rsa'
import { test } from 'tap'
import { issueToken, makeStrangersToken } from '../scenes/bad-tokens.ts'
import { API, makeConfidentialClient, startScene } from '../scenes/integration-scene.ts'
import { runVerifierSuite, type VerifierSettings, type Verify } from './verifier-suite.ts'

function openVerify(settings: VerifierSettings, options: { rateLimit?: boolean } = {}): Verify {
  const { issuer, audience, jwksUri, algorithm } = settings
  const client = jwksClient({ jwksUri, ...options })
  const findKey: jwt.GetPublicKeyOrSecret = ({ kid }, done) =>
    client.getSigningKey(kid, (error, key) => done(error, key?.getPublicKey()))
  // Its type knows no EdDSA, and neither does its code.
  const rules = { issuer, audience, algorithms: [algorithm as jwt.Algorithm], complete: true }
  return (token) =>
    new Promise((resolve, reject) => {
      jwt.verify(token, findKey, { ...rules, complete: true }, (error, verified) => {
        // jsonwebtoken does not look at the type of a token (RFC 9068 §4), so its user does.
        if (verified?.header.typ === 'at+jwt') resolve({ ...Object(verified.payload) })
        else reject(error ?? new jwt.JsonWebTokenError('the type is not at+jwt'))
      })
    })
}

function readMessage(error: unknown): string {
  if (!(error instanceof jwt.JsonWebTokenError)) throw error
  return `${error.name}: ${error.message.replace(/ expected: .*| that matches .*/, '')}`
}

runVerifierSuite({
  name: 'jwks-rsa and jsonwebtoken',
  algorithms: ['ES256', 'RS256', 'PS256'],
  open: async (_t, settings) => openVerify(settings),
  refusalOf: readMessage,
  refusals: {
    expired: 'TokenExpiredError: jwt expired',
    'for another audience': 'JsonWebTokenError: jwt audience invalid.',
    'from another issuer': 'JsonWebTokenError: jwt issuer invalid.',
    'with changed claims': 'JsonWebTokenError: invalid signature',
    'signed by another key': 'JsonWebTokenError: invalid signature',
    'of an unknown kid':
      'JsonWebTokenError: error in secret or public key callback: Unable to find a signing key',
    'without a signature': 'JsonWebTokenError: jwt signature is required',
    'with an HMAC under the public key': 'JsonWebTokenError: invalid algorithm',
    'a refresh token': 'JsonWebTokenError: jwt malformed',
  },
  maxAgesSeconds: [0, 300],
})

test('jwks-rsa: with rateLimit, strangers use up the requests that a new key needs', async (t) => {
  const scene = await startScene(t, { config: { jwksMaxAgeSeconds: 0 } })
  const client = await makeConfidentialClient(scene)
  const good = await issueToken(scene, client)
  const { issuer } = scene
  const jwksUri = `${issuer}/.well-known/jwks.json`
  const settings = { issuer, audience: API, jwksUri, algorithm: 'ES256' } as const
  const limited = openVerify(settings, { rateLimit: true })
  const cached = openVerify(settings, { rateLimit: true })
  await cached(good)
  const strangers = Array.from({ length: 10 }, (_, index) => makeStrangersToken(good, `s${index}`))
  for (const verify of [limited, cached]) {
    for (const stranger of strangers) await t.rejects(verify(stranger))
  }
  t.match(await cached(good), { aud: API }, 'a key that was used before is kept')
  await t.rejects(limited(good), { message: /Too many requests to the JWKS endpoint/ })
})
