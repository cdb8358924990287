// express-oauth2-jwt-bearer in an Express 5 application: it discovers the issuer by itself, keeps
// metadata and keys for 10 minutes, and answers with the challenges of RFC 6750. An http issuer is
// fine with it.

import { once } from 'node:events'
import type { AddressInfo } from 'node:net'
import express, { type ErrorRequestHandler } from 'express'
import { auth, requiredScopes, UnauthorizedError } from 'express-oauth2-jwt-bearer'
import { type Test, test } from 'tap'
import { issueToken } from '../scenes/bad-tokens.ts'
import { API, makeConfidentialClient, startScene } from '../scenes/integration-scene.ts'
import { runVerifierSuite, type Verify } from './verifier-suite.ts'

/** The description without what the library goes on to list. */
const CHALLENGE = /error="(\w+)", error_description="(.*?)(?: for JWKS-based .*)?"/

/** The answer of the application, where it is not 200. */
class Refused extends Error {}

async function startApi(t: Test, options: Parameters<typeof auth>[0]): Promise<string> {
  const app = express()
  app.use(auth({ audience: API, strict: true, ...options }))
  app.get('/notes', (request, response) => void response.json(request.auth?.payload))
  app.delete('/notes', requiredScopes('notes:write'), (_, response) => void response.end())
  const handleError: ErrorRequestHandler = (error, _request, response, next) => {
    if (error instanceof UnauthorizedError) {
      response.status(error.status).set(error.headers).end()
    } else next(error)
  }
  app.use(handleError)
  const server = app.listen(0, '127.0.0.1')
  await once(server, 'listening')
  t.teardown(() => {
    server.closeAllConnections()
    server.close()
  })
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`
}

async function call(api: string, token: string, method = 'GET'): Promise<Record<string, unknown>> {
  const headers = { authorization: `Bearer ${token}` }
  const answer = await fetch(`${api}/notes`, { method, headers })
  if (answer.ok) return (await answer.json()) as Record<string, unknown>
  throw new Refused(`${answer.status} ${answer.headers.get('www-authenticate')}`)
}

async function open(t: Test, { issuer }: { issuer: string }): Promise<Verify> {
  const api = await startApi(t, { issuerBaseURL: issuer })
  return (token) => call(api, token)
}

function readChallenge(error: unknown): string {
  if (!(error instanceof Refused)) throw error
  const [, code, description] = CHALLENGE.exec(error.message) ?? []
  return `${error.message.slice(0, 3)} ${code}: ${description}`
}

runVerifierSuite({
  name: 'express-oauth2-jwt-bearer',
  algorithms: ['ES256', 'EdDSA', 'RS256', 'PS256'],
  open,
  refusalOf: readChallenge,
  refusals: {
    expired: `401 invalid_token: 'exp' claim timestamp check failed`,
    'for another audience': `401 invalid_token: Unexpected 'aud' value`,
    'from another issuer': `401 invalid_token: Unexpected 'iss' value`,
    'with changed claims': '401 invalid_token: signature verification failed',
    'signed by another key': '401 invalid_token: signature verification failed',
    'of an unknown kid': '401 invalid_token: no applicable key found in the JSON Web Key Set',
    'without a signature': `401 invalid_token: Unsupported algorithm 'none'`,
    'with an HMAC under the public key': `401 invalid_token: Unsupported algorithm 'HS256'`,
    'a refresh token': '401 invalid_token: Invalid Token or Protected Header formatting',
  },
  maxAgesSeconds: [0, 300],
})

test('express-oauth2-jwt-bearer: a scope that is missing is 403 (RFC 6750 §3.1)', async (t) => {
  const scene = await startScene(t)
  const token = await issueToken(scene, await makeConfidentialClient(scene))
  const api = await startApi(t, { issuerBaseURL: scene.issuer })
  t.match(await call(api, token), { scope: 'notes:read' })
  const refusal = await call(api, token, 'DELETE').then(() => 'not refused', readChallenge)
  t.equal(refusal, '403 insufficient_scope: Insufficient Scope')
})

test('express-oauth2-jwt-bearer: it follows a change of LINEAGE_SIGNING_ALG', async (t) => {
  const before = await startScene(t)
  const client = await makeConfidentialClient(before)
  // The same keys under a new LINEAGE_SIGNING_ALG: the old one goes on signing for six minutes.
  const { issuer, ...after } = await startScene(t, {
    beside: before,
    config: { signingAlgs: ['EdDSA'] },
  })
  const states = after.service.keys.list().map(({ alg, state }) => `${alg} ${state}`)
  t.strictSame(states, ['ES256 active', 'EdDSA next'])
  const token = await issueToken(after, client)
  const jwksUri = `${issuer}/.well-known/jwks.json`
  for (const options of [{ issuerBaseURL: issuer }, { issuer, jwksUri }]) {
    const api = await startApi(t, options)
    t.match(await call(api, token), { iss: issuer })
  }
})
