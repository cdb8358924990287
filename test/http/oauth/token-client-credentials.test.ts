// grant_type=client_credentials: a service's own token, verified as a gateway would.

import { createRemoteJWKSet, decodeProtectedHeader, jwtVerify } from 'jose'
import { test } from 'tap'
import { ISSUER, startApp, type TestApp, type TokenAnswer } from '../../support/app.ts'

const API = 'https://api.example.test'
const OTHER = 'https://other.example.test'

function basic(id: string, secret: string) {
  return { authorization: `Basic ${Buffer.from(`${id}:${secret}`).toString('base64')}` }
}

async function ask(
  app: TestApp,
  client: { id: string; secret: string },
  extra: Record<string, string> = {},
) {
  const answer = await app.form(
    '/token',
    { grant_type: 'client_credentials', ...extra },
    basic(client.id, client.secret),
  )
  return { status: answer.status, body: (await answer.json()) as TokenAnswer & { error?: string } }
}

const SERVICE = {
  type: 'confidential',
  grantTypes: ['client_credentials'],
  scopes: ['jobs:read', 'jobs:write'],
  defaultScopes: ['jobs:read'],
  audiences: [API, OTHER],
} as const

test('issues a JWT that a verifier accepts through JWKS (RFC 9068 §2, C62, C64, C67)', async (t) => {
  const app = await startApp(t)
  const client = await app.makeClient({ ...SERVICE })
  const { status, body } = await ask(app, client)
  t.equal(status, 200)
  t.equal(body.token_type, 'Bearer', '(C16)')
  t.equal(body.scope, 'jobs:read', 'the default scope (C13, C15)')
  t.notOk('refresh_token' in body, 'no refresh token (RFC 6749 §4.4.3, C47)')
  const jwks = createRemoteJWKSet(new URL(`${app.url}/.well-known/jwks.json`))
  const options = { issuer: ISSUER, audience: API, typ: 'at+jwt', algorithms: ['ES256'] }
  const { payload } = await jwtVerify(body.access_token, jwks, options)
  t.equal(payload.sub, client.id)
  t.equal(payload.client_id, client.id)
  t.equal(payload.scope, 'jobs:read', '(C65)')
  t.equal(payload.aud, API, 'the first audience, as a string')
  t.type(payload.jti, 'string')
  const { sid, auth_time, amr, roles } = payload
  t.strictSame([sid, auth_time, amr, roles], Array(4).fill(undefined), 'nothing of a user')
  t.ok(decodeProtectedHeader(body.access_token).kid, '(C70)')
})

test('scope: asked for, doubled, foreign, malformed (C14, C15, C21)', async (t) => {
  const app = await startApp(t)
  const client = await app.makeClient({ ...SERVICE })
  t.equal(
    (await ask(app, client, { scope: 'jobs:write jobs:read jobs:write' })).body.scope,
    'jobs:read jobs:write',
    "in the client's order, doubles gone",
  )
  for (const scope of [
    'jobs:delete',
    'Jobs:read',
    'jobs:read "',
    'a\\b',
    'jobs:read\tjobs:write',
  ]) {
    const { status, body } = await ask(app, client, { scope })
    t.equal(status, 400)
    t.equal(body.error, 'invalid_scope', JSON.stringify(scope))
  }
  const bare = await app.makeClient({ ...SERVICE, scopes: [], defaultScopes: [] })
  t.equal((await ask(app, bare)).body.scope, '', 'always told')
})

test('resource: one, several in the order of the client, foreign, malformed (RFC 8707 §2, C105)', async (t) => {
  const app = await startApp(t)
  const client = await app.makeClient({ ...SERVICE })
  const audienceOf = async (body: URLSearchParams) => {
    const answer = await app.fetch('/token', {
      method: 'POST',
      body,
      headers: basic(client.id, client.secret),
    })
    const { access_token: token, error } = (await answer.json()) as TokenAnswer & { error?: string }
    return error ?? JSON.parse(Buffer.from(token.split('.')[1] ?? '', 'base64url').toString()).aud
  }
  const form = (...resources: string[]) =>
    new URLSearchParams([
      ['grant_type', 'client_credentials'],
      ...resources.map((resource): [string, string] => ['resource', resource]),
    ])
  t.equal(await audienceOf(form(OTHER)), OTHER)
  t.strictSame(await audienceOf(form(OTHER, API)), [API, OTHER])
  t.equal(await audienceOf(form('')), API, 'an empty one is absent (C4)')
  for (const bad of [
    'https://foreign.test',
    'api',
    '/relative',
    `${API}#fragment`,
    'https://a b',
  ]) {
    t.equal(await audienceOf(form(bad)), 'invalid_target', bad)
  }
})

test('a public client that the table lets in all the same is refused (RFC 6749 §4.4, C46)', async (t) => {
  const app = await startApp(t)
  const made = await app.admin('POST', '/admin/clients', {
    name: 'x',
    type: 'public',
    grantTypes: ['client_credentials'],
  })
  t.equal(made.status, 422)
})

test('the token goes when its client goes, and is refused online at once', async (t) => {
  const app = await startApp(t)
  const admin = await app.makeClient({
    type: 'confidential',
    grantTypes: ['client_credentials'],
    scopes: ['lineage:admin'],
    defaultScopes: ['lineage:admin'],
  })
  const { body } = await ask(app, admin)
  const headers = { authorization: `Bearer ${body.access_token}` }
  t.equal((await app.fetch('/admin/clients', { headers })).status, 200)
  t.equal((await app.admin('DELETE', `/admin/clients/${admin.id}`)).status, 204)
  t.equal((await app.fetch('/admin/clients', { headers })).status, 401)
})
