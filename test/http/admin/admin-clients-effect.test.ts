// What a change under /admin/clients does to the requests that come right after it.

import { test } from 'tap'
import { makeKeyPairSync } from '../../../src/runtime/key-pair.ts'
import { logIn, startApp, type TestApp } from '../../support/app.ts'

const MACHINE = { type: 'confidential', grantTypes: ['client_credentials'] } as const

function machineToken(app: TestApp, clientId: string, clientSecret: string): Promise<Response> {
  const form = {
    grant_type: 'client_credentials',
    client_id: clientId,
    client_secret: clientSecret,
  }
  return app.form('/token', form)
}

function refresh(app: TestApp, clientId: string, refreshToken: string): Promise<Response> {
  const form = { grant_type: 'refresh_token', client_id: clientId, refresh_token: refreshToken }
  return app.form('/token', form)
}

test('secrets rotate without a gap: both work, then the new one alone (C30)', async (t) => {
  const app = await startApp(t)
  const { id, secret: old } = await app.makeClient(MACHINE)
  const path = `/admin/clients/${id}/secrets`
  const added = await app.admin('POST', path)
  t.equal(added.status, 201)
  const { clientSecret, ...shown } = (await added.json()) as { id: string; clientSecret: string }
  t.match(shown, { id: /^[0-9a-f-]{36}$/, createdAt: /Z$/ })
  t.equal((await machineToken(app, id, old)).status, 200)
  t.equal((await machineToken(app, id, clientSecret)).status, 200)
  const third = await app.admin('POST', path)
  t.equal(third.status, 409)
  t.match(await third.json(), { code: 'conflict' })

  const client = (await (await app.admin('GET', `/admin/clients/${id}`)).json()) as {
    secrets: { id: string }[]
  }
  const oldId = client.secrets.find((one) => one.id !== shown.id)?.id
  t.equal((await app.admin('DELETE', `${path}/${oldId}`)).status, 204)
  t.equal((await machineToken(app, id, old)).status, 401)
  t.equal((await machineToken(app, id, clientSecret)).status, 200)
  t.equal((await app.admin('DELETE', `${path}/${shown.id}`)).status, 409, 'the last one stays')
  t.equal((await machineToken(app, id, clientSecret)).status, 200)
})

test('a patch is in force for the next request', async (t) => {
  const app = await startApp(t)
  const { id, secret } = await app.makeClient(MACHINE)
  t.match(await (await machineToken(app, id, secret)).json(), { expires_in: 600 })
  await app.admin('PATCH', `/admin/clients/${id}`, { accessTokenTtlSeconds: 60 })
  t.match(await (await machineToken(app, id, secret)).json(), { expires_in: 60 })
  await app.admin('PATCH', `/admin/clients/${id}`, { authMethods: ['client_secret_basic'] })
  const refused = await machineToken(app, id, secret)
  t.match(await refused.json(), { error: 'invalid_client' })
  t.ok(app.log.some((line) => line.reason === 'client_method_not_allowed'))
})

test('a deleted client is refused at once, and stays dead under the same id (C58)', async (t) => {
  const app = await startApp(t)
  const user = await app.makeUser()
  const client = await app.makeClient({ id: 'web' })
  const login = await logIn(app, client, user)
  t.equal((await app.admin('DELETE', '/admin/clients/web')).status, 204)
  const gone = await refresh(app, 'web', login.refresh_token)
  t.equal(gone.status, 401)
  t.match(await gone.json(), { error: 'invalid_client' })
  t.equal((await app.admin('DELETE', '/admin/clients/web')).status, 204, 'repeated')
  await app.makeClient({ id: 'web' })
  t.match(await (await refresh(app, 'web', login.refresh_token)).json(), { error: 'invalid_grant' })
  t.ok(await logIn(app, client, user), 'the new client works')
})

test('ending the sessions of a client ends every family, and lets new ones start', async (t) => {
  // The clock stands still, so that the families end even within their own millisecond.
  let now = Date.now()
  const app = await startApp(t, { clock: () => now })
  const [user, client, other] = [
    await app.makeUser(),
    await app.makeClient({}),
    await app.makeClient({}),
  ]
  const logins = [await logIn(app, client, user), await logIn(app, client, user)]
  const elsewhere = await logIn(app, other, user)
  t.equal((await app.admin('DELETE', `/admin/clients/${client.id}/sessions`)).status, 204)
  now += 1
  for (const login of logins) {
    const refused = await refresh(app, client.id, login.refresh_token)
    t.match(await refused.json(), { error: 'invalid_grant' })
  }
  t.equal((await refresh(app, other.id, elsewhere.refresh_token)).status, 200)
  const login = await logIn(app, client, user)
  t.equal((await refresh(app, client.id, login.refresh_token)).status, 200)
})

test('another instance finds a new client when it is asked for it', async (t) => {
  const app = await startApp(t)
  const second = await startApp(t, { beside: app })
  const { id, secret } = await app.makeClient(MACHINE)
  t.equal((await machineToken(second, id, secret)).status, 200)
})

test('PATCH takes merge patches and JSON, and nothing else', async (t) => {
  const app = await startApp(t)
  const { id } = await app.makeClient(MACHINE)
  const token = (await (
    await machineToken(app, 'bootstrap-admin', 'a-bootstrap-secret-of-enough-length')
  ).json()) as { access_token: string }
  const patch = (type: string, body: string) =>
    app.fetch(`/admin/clients/${id}`, {
      method: 'PATCH',
      headers: { authorization: `Bearer ${token.access_token}`, 'content-type': type },
      body,
    })
  const body = '{"name":"Renamed"}'
  t.equal((await patch('application/merge-patch+json', body)).status, 200)
  t.equal((await patch('application/json; charset=utf-8', body)).status, 200)
  t.equal((await patch('text/plain', body)).status, 415)
  t.equal((await patch('application/merge-patch+json', '{')).status, 400)
  t.equal((await patch('application/merge-patch+json', '[]')).status, 422)
  t.equal((await patch('application/json', '{"__proto__":{"name":"x"}}')).status, 422)
})

test('a secret dies with the last method that uses it, and does not come back with one', async (t) => {
  const app = await startApp(t)
  const { id, secret } = await app.makeClient({
    type: 'confidential',
    grantTypes: ['client_credentials'],
  })
  const { publicKey } = makeKeyPairSync('ed25519')
  const jwks = { keys: [publicKey.export({ format: 'jwk' })] }
  const patch = (body: object) => app.admin('PATCH', `/admin/clients/${id}`, body)
  const patched = await patch({ authMethods: ['private_key_jwt'], jwks })
  t.equal(patched.status, 200)
  t.strictSame(((await patched.json()) as { secrets: unknown }).secrets, [])
  t.equal((await app.admin('POST', `/admin/clients/${id}/secrets`)).status, 201)
  t.equal((await patch({ authMethods: ['private_key_jwt', 'client_secret_post'] })).status, 200)
  const form = { grant_type: 'client_credentials', client_id: id, client_secret: secret }
  t.equal((await app.form('/token', form)).status, 401, 'the old one')
})

test('a client that becomes public has no session of its confidential days', async (t) => {
  const app = await startApp(t)
  const { username, password } = await app.makeUser()
  const { id, secret } = await app.makeClient({
    type: 'confidential',
    grantTypes: ['password', 'refresh_token'],
  })
  const login = { grant_type: 'password', client_id: id, client_secret: secret, username, password }
  const tokens = (await (await app.form('/token', login)).json()) as { refresh_token: string }
  const now = { type: 'public', authMethods: ['none'] }
  t.equal((await app.admin('PATCH', `/admin/clients/${id}`, now)).status, 200)
  t.equal((await refresh(app, id, tokens.refresh_token)).status, 400)
})
