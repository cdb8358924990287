// The JWT bearer grant: whom a trusted issuer's assertion is about, what comes of it, and what is refused.

import { decodeJwt } from 'jose'
import { type Test, test } from 'tap'
import { lastReason } from '../../scenes/assertion-scene.ts'
import { type Platform, trustPlatform } from '../../scenes/platform-scene.ts'
import { ISSUER, startApp, type TestApp } from '../../support/app.ts'

const GRANT = 'urn:ietf:params:oauth:grant-type:jwt-bearer'

interface Scene {
  readonly app: TestApp
  readonly idp: Platform
  readonly ask: (claims?: object, more?: Record<string, string>) => Promise<Response>
}

async function open(t: Test, subjects: object | null): Promise<Scene> {
  const app = await startApp(t)
  const idp = await trustPlatform(app, 'oidc', { id: 'idp', subjects }, undefined)
  const { id, secret } = await app.makeClient({
    type: 'confidential',
    grantTypes: [GRANT, 'refresh_token'],
    scopes: ['notes:read', 'lineage:admin'],
    defaultScopes: ['notes:read', 'lineage:admin'],
    audiences: [ISSUER],
  })
  const ask = async (claims: object = {}, more: Record<string, string> = {}) =>
    app.form('/token', {
      grant_type: GRANT,
      client_id: id,
      client_secret: secret,
      assertion: await idp.token({ claims }),
      ...more,
    })
  return { app, idp, ask }
}

async function expectRefusal(t: Test, { app }: Scene, answer: Response, reason: string) {
  t.equal(answer.status, 400, reason)
  const body = { error: 'invalid_grant', error_description: 'The assertion is not accepted.' }
  t.strictSame(await answer.json(), body)
  t.equal(lastReason(app.log), reason)
}

test('about a user of ours, named by id: a session without a refresh token', async (t) => {
  const scene = await open(t, { mode: 'users', claim: 'lineage_user', match: 'id' })
  const { app, ask } = scene
  const user = await app.makeUser()
  const answer = await ask({ lineage_user: user.id })
  const body = (await answer.json()) as { access_token: string; refresh_token?: string }
  t.equal(answer.status, 200)
  t.equal(body.refresh_token, undefined)
  const claims = decodeJwt(body.access_token)
  t.match(claims, { sub: user.id, amr: ['fed'], scope: 'notes:read', sid: String })
  const own = await app.fetch('/users/me', {
    headers: { authorization: `Bearer ${body.access_token}` },
  })
  t.equal(own.status, 200)
  const assertion = await scene.idp.token({ claims: { lineage_user: user.id } })
  const statuses = []
  for (const scope of ['lineage:admin', 'notes:read', 'notes:read']) {
    statuses.push((await ask({}, { assertion, scope })).status)
  }
  t.strictSame(statuses, [400, 200, 400], 'what cannot be granted uses it up as little')
  for (const lineage_user of ['deadbeef-0000-4000-8000-000000000000', 'nobody', [user.id], 7]) {
    await expectRefusal(t, scene, await ask({ lineage_user }), 'grant_assertion_user_refused')
  }
  await app.admin('PATCH', `/admin/users/${user.id}`, { status: 'disabled' })
  const disabled = await ask({ lineage_user: user.id })
  await expectRefusal(t, scene, disabled, 'grant_assertion_user_refused')
})

test('about a user of ours, named by an address that both sides have verified', async (t) => {
  const scene = await open(t, { mode: 'users', claim: 'email', match: 'email' })
  const { app, ask } = scene
  const email = 'ada@example.test'
  const user = await app.makeUser({ username: 'ada', email })
  const said = { email, email_verified: true }
  await expectRefusal(t, scene, await ask(said), 'grant_assertion_user_refused')
  await app.admin('PATCH', `/admin/users/${user.id}`, { emailVerified: true })
  t.equal((await ask(said)).status, 200)
  for (const more of [
    { email_verified: false },
    { email_verified: 'true' },
    { email_verified: undefined },
    { email: 'ａda@example.test' },
    { email: ' ada@example.test' },
    { email: 'ada' },
  ]) {
    const answer = await ask({ ...said, ...more })
    await expectRefusal(t, scene, answer, 'grant_assertion_user_refused')
  }
})

test('about a subject of its own: no session, no role, and it says so', async (t) => {
  const scene = await open(t, { mode: 'own' })
  const { app, ask } = scene
  const answer = await ask()
  const { access_token, scope } = (await answer.json()) as Record<string, string>
  t.equal(scope, 'notes:read')
  const claims = decodeJwt(access_token ?? '')
  t.match(claims, { sub: 'idp:service-7', scope: 'notes:read' })
  t.notOk('sid' in claims || 'roles' in claims)
  const headers = { authorization: `Bearer ${access_token}` }
  const verified = await app.fetch('/verify', { headers })
  t.equal(verified.headers.get('x-auth-subject'), 'idp:service-7')
  t.equal(verified.headers.get('x-auth-subject-type'), 'external')
  const own = await app.fetch('/users/me', { headers })
  t.match(await own.json(), { code: 'user_token_required' })
  const admin = await app.fetch('/admin/users', { headers })
  t.equal(admin.status, 403)
  const wanted = await ask({}, { scope: 'lineage:admin' })
  t.match(await wanted.json(), { error: 'invalid_scope' })
  const odd = await ask({ sub: 'two words' })
  await expectRefusal(t, scene, odd, 'grant_assertion_subject_wrong')
  await app.admin('DELETE', '/admin/trusted-issuers/idp')
  t.equal((await app.fetch('/verify', { headers })).status, 401, 'whoever vouched is gone')
})

test('nothing by default, and every assertion once', async (t) => {
  const closed = await open(t, null)
  await expectRefusal(t, closed, await closed.ask(), 'grant_assertion_no_subjects')
  const scene = await open(t, { mode: 'own' })
  const assertion = await scene.idp.token()
  t.equal((await scene.ask({}, { assertion })).status, 200)
  await expectRefusal(t, scene, await scene.ask({}, { assertion }), 'grant_assertion_replayed')
  for (const [claims, reason] of [
    [{ iss: 'https://other.example.test' }, 'issuer_unknown'],
    [{ aud: 'https://other.example.test' }, 'audience_wrong'],
    [{ exp: 1 }, 'expired'],
    [{ sub: ['service-7'] }, 'subject_wrong'],
  ] as const) {
    await expectRefusal(t, scene, await scene.ask(claims), `grant_assertion_${reason}`)
  }
  const missing = await scene.ask({}, { assertion: '' })
  t.match(await missing.json(), { error: 'invalid_request' })
})

test('a public client neither lists nor uses it', async (t) => {
  const app = await startApp(t)
  const answer = await app.admin('POST', '/admin/clients', {
    ...{ name: 'An app', type: 'public', grantTypes: [GRANT] },
  })
  t.equal(answer.status, 422)
  await answer.body?.cancel()
})
