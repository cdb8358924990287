// Authority that was lost is lost at once wherever we are asked, none is had by asking for it, and
// no token is so large, and no source so long, that the service could not take it back.

import { test } from 'tap'
import { ISSUER, logIn, startApp, type TestApp } from '../../support/app.ts'

const ADMIN_SCOPE = 'lineage:admin'
const ADMIN_APP = {
  id: 'admin-app',
  scopes: ['orders', ADMIN_SCOPE],
  audiences: [ISSUER],
}

async function adminStatus(app: TestApp, token: string): Promise<number> {
  const answer = await app.fetch('/admin/keys', { headers: { authorization: `Bearer ${token}` } })
  if (answer.status === 403) {
    const { code } = (await answer.json()) as { code: string }
    if (code !== 'insufficient_scope') throw new Error(`another refusal: ${code}`)
  }
  return answer.status
}

async function introspect(app: TestApp, token: string, watcher: { id: string; secret: string }) {
  const answer = await app.form('/introspect', {
    token,
    client_id: watcher.id,
    client_secret: watcher.secret,
  })
  return (await answer.json()) as Record<string, unknown>
}

test('asking for lineage:admin alone without the role makes no family', async (t) => {
  const app = await startApp(t)
  const client = await app.makeClient(ADMIN_APP)
  const user = await app.makeUser({ roles: ['lineage:Admin', 'admin'] })
  const refused = await app.form('/token', {
    grant_type: 'password',
    client_id: client.id,
    username: user.username,
    password: user.password,
    scope: ADMIN_SCOPE,
  })
  t.equal(refused.status, 400)
  t.equal(((await refused.json()) as { error: string }).error, 'invalid_scope')
  const listed = await app.admin('GET', `/admin/users/${user.id}/sessions`)
  t.strictSame(await listed.json(), { items: [], nextCursor: null })
  t.equal(
    app.log.some((line) => line.event === 'login.succeeded'),
    false,
  )
  const both = await logIn(app, client, user, { scope: `${ADMIN_SCOPE} orders` })
  t.equal(both.scope, 'orders', 'beside another scope it is dropped')
})

test('a role that is taken away ends what its tokens may do, and brings it back', async (t) => {
  const app = await startApp(t)
  const client = await app.makeClient(ADMIN_APP)
  const watcher = await app.makeClient({
    type: 'confidential',
    grantTypes: [],
    scopes: ['lineage:introspect'],
  })
  const user = await app.makeUser({ roles: [ADMIN_SCOPE, 'clerk'] })
  const first = await logIn(app, client, user, { scope: `orders ${ADMIN_SCOPE}` })
  t.equal(await adminStatus(app, first.access_token), 200)

  await app.admin('PATCH', `/admin/users/${user.id}`, { roles: ['clerk'] })
  t.equal(await adminStatus(app, first.access_token), 403, 'the token at hand')
  const seen = await introspect(app, first.access_token, watcher)
  t.match(seen, { active: true, scope: 'orders' })
  t.strictSame(seen.roles, ['clerk'])
  const refresh = async (token: string, scope?: string) =>
    await app.form('/token', {
      grant_type: 'refresh_token',
      client_id: client.id,
      refresh_token: token,
      scope,
    })
  const asking = await refresh(first.refresh_token, ADMIN_SCOPE)
  t.equal(((await asking.json()) as { error: string }).error, 'invalid_scope')
  const second = (await (await refresh(first.refresh_token)).json()) as typeof first
  t.equal(second.scope, 'orders')

  await app.admin('PATCH', `/admin/users/${user.id}`, { roles: [ADMIN_SCOPE] })
  const third = (await (await refresh(second.refresh_token)).json()) as typeof first
  t.equal(third.scope, `orders ${ADMIN_SCOPE}`)
  t.equal(await adminStatus(app, third.access_token), 200)
})

test('a scope that a client loses is gone from its tokens at once', async (t) => {
  const app = await startApp(t)
  const machine = await app.makeClient({
    type: 'confidential',
    grantTypes: ['client_credentials'],
    scopes: ['orders', ADMIN_SCOPE],
    defaultScopes: ['orders', ADMIN_SCOPE],
    audiences: [ISSUER],
  })
  const answer = await app.form('/token', {
    grant_type: 'client_credentials',
    client_id: machine.id,
    client_secret: machine.secret,
  })
  const { access_token: token } = (await answer.json()) as { access_token: string }
  t.equal(await adminStatus(app, token), 200)
  const less = { scopes: ['orders'], defaultScopes: ['orders'] }
  t.equal((await app.admin('PATCH', `/admin/clients/${machine.id}`, less)).status, 200)
  t.equal(await adminStatus(app, token), 403)
  t.match(await introspect(app, token, machine), { active: true, scope: 'orders' })
})

test('the largest token there can be is verified and revoked (C72)', async (t) => {
  const app = await startApp(t, { config: { signingAlgs: ['RS256'] } })
  const large = await app.makeClient({
    id: `a${'-'.repeat(62)}`,
    type: 'confidential',
    grantTypes: ['password', 'refresh_token'],
    scopes: Array.from({ length: 16 }, (_, index) => `${index}`.padStart(100, 's')),
    audiences: ['a'.repeat(512), 'b'.repeat(400)],
  })
  const roles = Array.from({ length: 32 }, (_, index) => `${index}`.padStart(64, 'r'))
  const user = await app.makeUser({ roles })
  const body = new URLSearchParams({
    grant_type: 'password',
    client_id: large.id,
    client_secret: large.secret,
    username: user.username,
    password: user.password,
    scope: Array.from({ length: 16 }, (_, index) => `${index}`.padStart(100, 's')).join(' '),
  })
  const login = await app.fetch('/token', { method: 'POST', body })
  const { access_token: token } = (await login.json()) as { access_token: string }
  t.ok(token.length < 8192, `${token.length} characters`)
  t.equal((await introspect(app, token, large)).active, true)
  const credentials = { client_id: large.id, client_secret: large.secret }
  t.equal((await app.form('/revoke', { token, ...credentials })).status, 200)
  t.strictSame(await introspect(app, token, large), { active: false })
})

test('a forwarded source is an address or nothing', async (t) => {
  const app = await startApp(t, { config: { trustProxy: ['127.0.0.1/32'] } })
  const gateway = await app.makeClient({
    type: 'confidential',
    grantTypes: ['password'],
    forwardsClientIp: true,
  })
  const page = await app.makeClient({ grantTypes: ['password'] })
  const user = await app.makeUser()
  const long = 'evil'.repeat(1000)
  const sourceOf = async (
    client: { id: string; secret: string },
    headers: Record<string, string>,
  ) => {
    const answer = await app.form(
      '/token',
      {
        grant_type: 'password',
        client_id: client.id,
        client_secret: client.secret || undefined,
        username: user.username,
        password: user.password,
      },
      headers,
    )
    t.equal(answer.status, 200)
    return app.log.findLast((line) => line.event === 'login.succeeded')?.ip
  }
  const own = '127.0.0.1'
  t.equal(await sourceOf(gateway, { 'lineage-client-ip': '192.0.2.7' }), '192.0.2.7')
  t.equal(await sourceOf(gateway, { 'lineage-client-ip': '2001:db8::7' }), '2001:db8::7')
  t.equal(await sourceOf(gateway, { 'lineage-client-ip': `fe80::1%${long}` }), own)
  t.equal(await sourceOf(gateway, { 'lineage-client-ip': long }), own)
  t.equal(await sourceOf(gateway, { 'lineage-client-ip': '192.0.2.7, 192.0.2.8' }), own)
  t.equal(await sourceOf(page, { 'lineage-client-ip': '192.0.2.7' }), own, 'not for everybody')
  t.equal(await sourceOf(page, { 'x-forwarded-for': `${long}, 192.0.2.9` }), '192.0.2.9')
  t.equal(await sourceOf(page, { 'x-forwarded-for': long }), own)
  t.equal(await sourceOf(page, { 'x-forwarded-for': `fe80::1%${long}` }), own)
})
