// The stand-in itself, without any mutation: that it is the service the mutations deviate from.

import { createHash, randomUUID } from 'node:crypto'
import { calculateJwkThumbprint, exportJWK, importJWK, SignJWT } from 'jose'
import { type Test, test } from 'tap'
import { makeFreshKeys } from '../src/fresh-keys.ts'
import { openStandIn } from './stand-in/prove-mutations.ts'
import type { StandIn } from './stand-in/start-stand-in.ts'

type Body = Readonly<Record<string, unknown>>

interface Answer {
  readonly status: number
  readonly headers: Headers
  readonly text: string
  readonly body: Body
}

async function open(t: Test) {
  const standIn = await openStandIn(t, [])
  const { issuer, credentials } = standIn
  const { confidentialClient: svc, publicClient: spa, user } = credentials
  if (!user) throw new Error('the stand-in has a user')
  const post = async (path: string, form: Record<string, string>, headers = {}) =>
    await read(
      await fetch(`${issuer}${path}`, {
        method: 'POST',
        body: new URLSearchParams(form),
        headers,
      }),
    )
  const asSvc = { client_id: svc.id, client_secret: svc.secret }
  const asSpa = { client_id: spa.id }
  const logIn = async (client: Record<string, string>, headers = {}) =>
    await post('/token', { grant_type: 'password', ...user, ...client }, headers)
  const refresh = async (token: unknown, client: Record<string, string>, headers = {}) =>
    await post(
      '/token',
      { grant_type: 'refresh_token', refresh_token: String(token), ...client },
      headers,
    )
  const introspect = async (token: unknown) =>
    await post('/introspect', { token: String(token), ...asSvc })
  return { standIn, post, asSvc, asSpa, logIn, refresh, introspect }
}

async function read(response: Response): Promise<Answer> {
  const { status, headers } = response
  const text = await response.text()
  const body = text.startsWith('{') ? (JSON.parse(text) as Body) : {}
  return { status, headers, text, body }
}

test('a refresh rotates, its retry gives the same successor, reuse ends the family', async (t) => {
  const { asSpa, logIn, refresh, introspect } = await open(t)
  const first = (await logIn(asSpa)).body
  const [one, two] = await Promise.all([
    refresh(first.refresh_token, asSpa),
    refresh(first.refresh_token, asSpa),
  ])
  t.strictSame([one.status, two.status], [200, 200])
  t.equal(one.body.refresh_token, two.body.refresh_token)
  const third = await refresh(one.body.refresh_token, asSpa)
  t.equal((await introspect(third.body.access_token)).body.active, true)
  t.equal((await refresh(first.refresh_token, asSpa)).status, 400)
  t.equal((await refresh(third.body.refresh_token, asSpa)).status, 400)
  t.strictSame((await introspect(third.body.access_token)).body, { active: false })
})

test('a refresh token works for its own client only and is not spent by others', async (t) => {
  const { asSvc, asSpa, logIn, refresh } = await open(t)
  const { refresh_token: token } = (await logIn(asSvc)).body
  t.equal((await refresh(token, asSpa)).body.error, 'invalid_grant')
  t.equal((await refresh(token, { ...asSvc, client_secret: 'wrong' })).status, 401)
  t.equal((await refresh(token, asSvc)).status, 200)
})

test('a narrowed scope holds for one token, a wider one is refused', async (t) => {
  const { asSpa, logIn, refresh } = await open(t)
  const login = (await logIn(asSpa)).body
  const narrow = (await refresh(login.refresh_token, { ...asSpa, scope: 'notes:read' })).body
  t.equal(narrow.scope, 'notes:read')
  t.equal((await refresh(narrow.refresh_token, asSpa)).body.scope, 'notes:read notes:write')
  const wide = await refresh(narrow.refresh_token, { ...asSpa, scope: 'notes:read more' })
  t.equal(wide.body.error, 'invalid_scope')
})

test('a revocation ends the whole family, and an access token by itself', async (t) => {
  const { post, asSvc, logIn, refresh, introspect } = await open(t)
  const { access_token: access, refresh_token: token } = (await logIn(asSvc)).body
  const next = (await refresh(token, asSvc)).body
  t.equal((await post('/revoke', { token: String(access), ...asSvc })).status, 200)
  t.strictSame((await introspect(access)).body, { active: false })
  t.equal((await introspect(next.access_token)).body.active, true)
  t.equal((await post('/revoke', { token: String(next.refresh_token), ...asSvc })).status, 200)
  t.strictSame((await introspect(next.access_token)).body, { active: false })
  t.equal((await refresh(next.refresh_token, asSvc)).status, 400)
})

test('requests that are no POST of one form are refused', async (t) => {
  const { standIn, post, asSvc } = await open(t)
  const url = `${standIn.issuer}/token`
  const send = async (body: string, type = 'application/x-www-form-urlencoded') =>
    (await fetch(url, { method: 'POST', body, headers: { 'content-type': type } })).status
  t.equal((await fetch(url)).status, 405)
  const id = `client_id=${asSvc.client_id}&client_secret=${encodeURIComponent(asSvc.client_secret)}`
  t.equal(await send(`grant_type=client_credentials&${id}`), 200)
  t.equal(await send(`grant_type=client_credentials&${id}&scope=&unknown=1`), 200)
  t.equal(await send(`grant_type=client_credentials&grant_type=x&${id}`), 400)
  t.equal(await send(`grant_type=client_credentials&${id}&scope=%zz`), 400)
  t.equal(await send(`grant_type=client_credentials&${id}&scope=%ff`), 400)
  t.equal(await send('{}', 'application/json'), 400)
  t.equal(await send('a'.repeat(20_000)), 413)
  const refused = await post('/token', { grant_type: 'password', ...asSvc, client_secret: 'no' })
  t.equal(refused.headers.get('www-authenticate'), 'Basic realm="stand-in"')
  t.equal(refused.headers.get('cache-control'), 'no-store')
})

test('a client that signs assertions is known by them, once each', async (t) => {
  const { standIn, post } = await open(t)
  const { assertionClient } = standIn.credentials
  const key = await importJWK(assertionClient.privateJwk, assertionClient.alg)
  const assertion = await new SignJWT({ jti: randomUUID() })
    .setProtectedHeader({ alg: assertionClient.alg })
    .setIssuer(assertionClient.id)
    .setSubject(assertionClient.id)
    .setAudience(standIn.issuer)
    .setExpirationTime('1 min')
    .sign(key)
  const form = {
    grant_type: 'client_credentials',
    client_assertion_type: 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer',
    client_assertion: assertion,
  }
  t.equal((await post('/token', form)).status, 200)
  t.equal((await post('/token', form)).body.error, 'invalid_client')
})

test('a public client binds its tokens to a key by DPoP', async (t) => {
  const { standIn, asSpa, logIn, refresh, introspect } = await open(t)
  const prove = await makeProver(standIn)
  const login = await logIn(asSpa, { dpop: await prove('POST', '/token') })
  t.equal(login.body.token_type, 'DPoP')
  const { access_token: access, refresh_token: token } = login.body
  t.match((await introspect(access)).body, { active: true, cnf: { jkt: prove.jkt } })
  t.equal((await refresh(token, asSpa)).status, 400)
  const bound = await refresh(token, asSpa, { dpop: await prove('POST', '/token') })
  t.equal(bound.status, 200)
  const wrong = await refresh(token, asSpa, { dpop: await prove('GET', '/token') })
  t.equal(wrong.body.error, 'invalid_dpop_proof')
  const call = async (headers: Record<string, string>) =>
    (await fetch(standIn.resourceUrl, { headers })).status
  t.equal(await call({ authorization: `Bearer ${access}` }), 401)
  const dpop = await prove('GET', '/api', String(access))
  t.equal(await call({ authorization: `DPoP ${access}`, dpop }), 200)
})

async function makeProver({ issuer, resourceUrl }: StandIn) {
  const { privateKey, publicKey } = await makeFreshKeys('ES256')
  const jwk = await exportJWK(publicKey)
  const prove = async (htm: string, path: string, token?: string) =>
    await new SignJWT({
      htm,
      htu: path === '/api' ? resourceUrl : `${issuer}${path}`,
      ...(token ? { ath: createHash('sha256').update(token).digest('base64url') } : {}),
    })
      .setProtectedHeader({ alg: 'ES256', typ: 'dpop+jwt', jwk })
      .setIssuedAt()
      .setJti(randomUUID())
      .sign(privateKey)
  return Object.assign(prove, { jkt: await calculateJwkThumbprint(jwk) })
}

test('the resource asks for a good token with its scope', async (t) => {
  const { standIn, post, asSvc } = await open(t)
  const issue = async (scope: string) =>
    (await post('/token', { grant_type: 'client_credentials', ...asSvc, scope })).body.access_token
  const call = async (token?: unknown) =>
    await fetch(standIn.resourceUrl, token ? { headers: { authorization: `Bearer ${token}` } } : {})
  t.equal((await call(await issue('notes:read'))).status, 200)
  t.equal((await call(await issue('notes:write'))).status, 403)
  const bare = await call()
  t.equal(bare.status, 401)
  t.notMatch(bare.headers.get('www-authenticate'), /error/)
  t.match((await call('no-token')).headers.get('www-authenticate'), /error="invalid_token"/)
})
