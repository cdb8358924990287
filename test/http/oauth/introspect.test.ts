// POST /introspect (RFC 7662): all that was checked, and nothing of a token that is not active.

import { type Test, test } from 'tap'
import { ISSUER, logIn, startApp, type TestApp, type TokenAnswer } from '../../support/app.ts'

async function openScene(t: Test) {
  const app = await startApp(t)
  const client = await app.makeClient({
    type: 'confidential',
    grantTypes: ['password', 'refresh_token', 'client_credentials'],
    scopes: ['read', 'lineage:admin'],
    defaultScopes: ['read'],
  })
  const watcher = await app.makeClient({
    type: 'confidential',
    grantTypes: ['client_credentials'],
    scopes: ['lineage:introspect'],
  })
  const user = await app.makeUser({ roles: ['editor'] })
  return { app, client, watcher, user }
}

async function introspect(
  app: TestApp,
  client: { id: string; secret: string },
  token: string,
  extra: Record<string, string> = {},
): Promise<Record<string, unknown>> {
  const answer = await app.form('/introspect', {
    client_id: client.id,
    client_secret: client.secret,
    token,
    ...extra,
  })
  if (answer.status !== 200) throw new Error(`no introspection: ${answer.status}`)
  return (await answer.json()) as Record<string, unknown>
}

test('an access token of a user (RFC 7662 §2.2)', async (t) => {
  const { app, client, user } = await openScene(t)
  const { access_token: token } = await logIn(app, client, user)
  const state = await introspect(app, client, token)
  t.match(state, {
    active: true,
    iss: ISSUER,
    sub: user.id,
    username: user.username,
    aud: ISSUER,
    client_id: client.id,
    scope: 'read',
    token_type: 'Bearer',
    roles: ['editor'],
    amr: ['pwd'],
  })
  const members =
    'active amr aud auth_time client_id exp iat iss jti roles scope sid sub token_type username'.split(
      ' ',
    )
  t.strictSame(Object.keys(state).sort(), members)
})

test("a user's new name is told at once, of tokens from before too", async (t) => {
  const { app, client, user } = await openScene(t)
  const login = await logIn(app, client, user)
  await app.admin('PATCH', `/admin/users/${user.id}`, { username: 'Renamed.Jose' })
  for (const token of [login.access_token, login.refresh_token]) {
    t.match(await introspect(app, client, token), { active: true, username: 'Renamed.Jose' })
  }
})

test("an access token of a client has no user's members", async (t) => {
  const { app, client } = await openScene(t)
  const answer = await app.form('/token', {
    grant_type: 'client_credentials',
    client_id: client.id,
    client_secret: client.secret,
  })
  const { access_token: token } = (await answer.json()) as TokenAnswer
  const members = 'active aud client_id exp iat iss jti scope sub token_type'.split(' ')
  t.strictSame(Object.keys(await introspect(app, client, token)).sort(), members)
})

test('a refresh token: current generation only, own client only, never consumed (C96)', async (t) => {
  const { app, client, watcher, user } = await openScene(t)
  const login = await logIn(app, client, user)
  const state = await introspect(app, client, login.refresh_token)
  const members = 'active client_id exp iat iss scope sid sub token_type username'.split(' ')
  t.strictSame(Object.keys(state).sort(), members)
  const about = { sub: user.id, username: user.username, token_type: 'refresh_token' }
  t.match(state, { active: true, scope: 'read', ...about })
  t.strictSame(await introspect(app, watcher, login.refresh_token), { active: false })
  const answer = await app.form('/token', {
    grant_type: 'refresh_token',
    client_id: client.id,
    client_secret: client.secret,
    refresh_token: login.refresh_token,
  })
  const next = (await answer.json()) as TokenAnswer
  t.strictSame(await introspect(app, client, login.refresh_token), { active: false }, 'stale')
  t.match(await introspect(app, client, next.refresh_token), { active: true }, 'and no theft')
})

test('inactive answers carry nothing else, whatever was wrong (C92, C93, C95)', async (t) => {
  const { app, client, user } = await openScene(t)
  const login = await logIn(app, client, user)
  const cut = login.access_token.slice(0, -4)
  for (const token of ['x', cut, `${cut}AAAA`, `lrt_${'A'.repeat(94)}`, 'a.b.c', '..', 'é']) {
    t.strictSame(await introspect(app, client, token), { active: false })
  }
  t.match(
    await introspect(app, client, login.access_token, { token_type_hint: 'refresh_token' }),
    { active: true },
    'a wrong hint still finds it',
  )
  await app.form('/revoke', {
    client_id: client.id,
    client_secret: client.secret,
    token: login.refresh_token,
  })
  for (const token of [login.access_token, login.refresh_token]) {
    t.strictSame(await introspect(app, client, token), { active: false }, 'after its revocation')
  }
})

test('a disabled user, and a disabled one who is back, has no live token (C58, C93)', async (t) => {
  const { app, client, user } = await openScene(t)
  const login = await logIn(app, client, user)
  for (const status of ['disabled', 'active']) {
    t.equal((await app.admin('PATCH', `/admin/users/${user.id}`, { status })).status, 200)
    t.strictSame(await introspect(app, client, login.access_token), { active: false }, status)
  }
})

test('others see it only with lineage:introspect; public clients never (C91, C94)', async (t) => {
  const { app, client, watcher, user } = await openScene(t)
  const { access_token: token } = await logIn(app, client, user)
  t.match(await introspect(app, watcher, token), { active: true })
  const stranger = await app.makeClient({
    type: 'confidential',
    grantTypes: ['client_credentials'],
  })
  t.strictSame(await introspect(app, stranger, token), { active: false })
  const publicClient = await app.makeClient({})
  const answer = await app.form('/introspect', { client_id: publicClient.id, token })
  t.equal(answer.status, 401)
  t.match(answer.headers.get('www-authenticate'), /^Basic /)
  t.ok(app.log.some((line) => line.reason === 'client_public_not_allowed'))
})
