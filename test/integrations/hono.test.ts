// A Hono API behind its own jwk middleware. With `jwks_uri` it asks for the JWKS for every token
// whose header it likes; a function in `keys` can keep it. It takes the type of our tokens only when
// told to, and allows clocks no difference.

import { once } from 'node:events'
import { type AddressInfo, createServer } from 'node:net'
import { Hono } from 'hono'
import { HTTPException } from 'hono/http-exception'
import { jwk } from 'hono/jwk'
import type { JwtVariables } from 'hono/jwt'
import { decodeProtectedHeader } from 'jose'
import { type Test, test } from 'tap'
import { issueToken } from '../scenes/bad-tokens.ts'
import {
  API,
  countJwksRequests,
  makeConfidentialClient,
  OTHER_API,
  type Scene,
  startScene,
} from '../scenes/integration-scene.ts'
import { startSteppedDate } from '../support/stepped-date.ts'
import { until } from '../support/until.ts'
import { runVerifierSuite, type VerifierSettings, type Verify } from './verifier-suite.ts'

type JwkOptions = Parameters<typeof jwk>[0]
type Api = Hono<{ Variables: JwtVariables<{ scope: string }> }>

/** The answer of the API, where it is not 200. */
class Refused extends Error {}

function makeApi(options: JwkOptions): Api {
  const app: Api = new Hono()
  app.use('/notes', jwk(options))
  app.get('/notes', (c) => c.json(c.get('jwtPayload')))
  app.delete('/notes', (c) => {
    const { scope } = c.get('jwtPayload')
    if (!scope.split(' ').includes('notes:write')) throw new HTTPException(403)
    return c.body(null, 204)
  })
  app.onError((error) => {
    if (!(error instanceof HTTPException)) return new Response(error.message, { status: 503 })
    // The name alone: the message of such a cause may hold the whole token.
    const cause = error.cause instanceof Error ? error.cause.name : ''
    return new Response(cause, error.getResponse())
  })
  return app
}

async function call(api: Api, token: string, method = 'GET'): Promise<Record<string, unknown>> {
  const headers = { authorization: `Bearer ${token}` }
  const answer = await api.request('/notes', { method, headers })
  if (answer.ok) return (await answer.json()) as Record<string, unknown>
  const [, code = ''] = /error="(\w+)"/.exec(answer.headers.get('www-authenticate') ?? '') ?? []
  throw new Refused([answer.status, code, await answer.text()].join(' ').trim())
}

function readRefusal(error: unknown): string {
  if (!(error instanceof Refused)) throw error
  return error.message
}

function verification({ issuer }: Pick<Scene, 'issuer'>) {
  return { iss: issuer, aud: API, typ: 'at+jwt' }
}

async function open(_t: Test, settings: VerifierSettings): Promise<Verify> {
  const { jwksUri, algorithm } = settings
  // It has none of this name.
  if (algorithm === 'Ed25519') throw new Error('no algorithm of Hono')
  const rules = verification(settings)
  const api = makeApi({ jwks_uri: jwksUri, alg: [algorithm], verification: rules })
  return (token) => call(api, token)
}

/** For `keys`: the JWKS, for as long as its answer lets it be kept. */
function keepKeys(jwksUri: string) {
  let keys: NonNullable<Exclude<JwkOptions['keys'], (...parameters: never) => unknown>> = []
  let keptUntilMs = 0
  return async () => {
    if (Date.now() < keptUntilMs) return keys
    const answer = await fetch(jwksUri).catch(() => undefined)
    // Only an error of the class Error itself is not turned into a 401.
    if (!answer?.ok) throw new Error('no JWKS')
    const [, maxAge = '0'] = /max-age=(\d+)/.exec(answer.headers.get('cache-control') ?? '') ?? []
    keptUntilMs = Date.now() + Number(maxAge) * 1000
    keys = ((await answer.json()) as { keys: typeof keys }).keys
    return keys
  }
}

async function startIssuer(t: Test) {
  const scene = await startScene(t)
  const client = await makeConfidentialClient(scene)
  return {
    scene,
    jwksUri: `${scene.issuer}/.well-known/jwks.json`,
    issue: () => issueToken(scene, client),
    rules: verification(scene),
  }
}

runVerifierSuite({
  name: 'hono',
  algorithms: ['ES256', 'EdDSA', 'RS256', 'PS256'],
  open,
  keepsKeys: false,
  refusalOf: readRefusal,
  refusals: {
    expired: '401 invalid_token JwtTokenExpired',
    'for another audience': '401 invalid_token JwtTokenAudience',
    'from another issuer': '401 invalid_token JwtTokenIssuer',
    'with changed claims': '401 invalid_token JwtTokenSignatureMismatched',
    'signed by another key': '401 invalid_token JwtTokenSignatureMismatched',
    'of an unknown kid': '401 invalid_token JwtTokenInvalid',
    'without a signature': '401 invalid_token JwtHeaderInvalid',
    'with an HMAC under the public key': '401 invalid_token JwtSymmetricAlgorithmNotAllowed',
    'a refresh token': '401 invalid_token JwtTokenInvalid',
  },
  maxAgesSeconds: [0],
})

test('hono: without `typ` among its rules it refuses every token of ours', async (t) => {
  const { jwksUri, issue, rules } = await startIssuer(t)
  const { typ: _, ...untyped } = rules
  const api = makeApi({ jwks_uri: jwksUri, alg: ['ES256'], verification: untyped })
  const refusal = await call(api, await issue()).catch(readRefusal)
  t.equal(refusal, '401 invalid_token JwtHeaderInvalid')
})

test('hono: without `iss` and `aud` it looks at neither', async (t) => {
  const scene = await startScene(t)
  const token = await issueToken(scene, await makeConfidentialClient(scene), OTHER_API)
  const jwksUri = `${scene.issuer}/.well-known/jwks.json`
  const api = makeApi({ jwks_uri: jwksUri, alg: ['ES256'], verification: { typ: 'at+jwt' } })
  t.match(await call(api, token), { aud: OTHER_API })
})

test('hono: a scope is a check of the own code', async (t) => {
  const { jwksUri, issue, rules } = await startIssuer(t)
  const api = makeApi({ jwks_uri: jwksUri, alg: ['ES256'], verification: rules })
  t.equal(await call(api, await issue(), 'DELETE').catch(readRefusal), '403')
})

test('hono: `jwks_uri` is one more request for each token', async (t) => {
  const { scene, jwksUri, issue, rules } = await startIssuer(t)
  const api = makeApi({ jwks_uri: jwksUri, alg: ['ES256'], verification: rules })
  const token = await issue()
  for (const _ of 'four') t.match(await call(api, token), { aud: API })
  await until('four requests', () => countJwksRequests(scene) === 4)
})

test('hono: `keys` that keep the JWKS for its max-age need two in a rotation (C75)', async (t) => {
  const date = startSteppedDate(t)
  const { scene, jwksUri, issue, rules } = await startIssuer(t)
  const api = makeApi({ keys: keepKeys(jwksUri), alg: ['ES256'], verification: rules })
  const before = await issue()
  for (const _ of 'four') t.match(await call(api, before), { aud: API })
  t.equal((await scene.admin('POST', '/admin/keys/rotate', {})).status, 201)
  date.step(scene.service.config.jwksMaxAgeSeconds + 60)
  const after = await issue()
  t.not(decodeProtectedHeader(after).kid, decodeProtectedHeader(before).kid, 'the new key signs')
  for (const token of [after, before, after]) t.match(await call(api, token), { aud: API })
  await until('two requests', () => countJwksRequests(scene) === 2)
})

test('hono: a clock that is a second behind refuses new tokens, unless `iat` is false', async (t) => {
  const date = startSteppedDate(t)
  const { jwksUri, issue, rules } = await startIssuer(t)
  const token = await issue()
  date.step(-1)
  const strict = makeApi({ jwks_uri: jwksUri, alg: ['ES256'], verification: rules })
  t.equal(await call(strict, token).catch(readRefusal), '401 invalid_token JwtTokenIssuedAt')
  const lenient = { ...rules, iat: false }
  const api = makeApi({ jwks_uri: jwksUri, alg: ['ES256'], verification: lenient })
  t.match(await call(api, token), { aud: API })
})

test('hono: no answer from `jwks_uri` is a 401, and with `keys` what one makes of it', async (t) => {
  const { issue, rules } = await startIssuer(t)
  const token = await issue()
  const broken = createServer((socket) => socket.destroy()).listen(0, '127.0.0.1')
  await once(broken, 'listening')
  t.teardown(() => void broken.close())
  const url = `http://127.0.0.1:${(broken.address() as AddressInfo).port}/`
  const plain = makeApi({ jwks_uri: url, alg: ['ES256'], verification: rules })
  t.equal(await call(plain, token).catch(readRefusal), '401 invalid_token TypeError')
  const kept = makeApi({ keys: keepKeys(url), alg: ['ES256'], verification: rules })
  t.equal(await call(kept, token).catch(readRefusal), '503  no JWKS')
})
