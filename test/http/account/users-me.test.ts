// /users/me: one's own account and password (C56).

import { test } from 'tap'
import { logIn, startApp, type TestApp } from '../../support/app.ts'

async function startWithUser(t: Parameters<typeof startApp>[0]) {
  const app = await startApp(t)
  const client = await app.makeClient({})
  const user = await app.makeUser({ username: 'Alice', email: 'alice@example.org' })
  const login = (password = user.password) => logIn(app, client, { ...user, password })
  const { access_token: token, refresh_token: refreshToken } = await login()
  return { app, client, user, login, token, refreshToken }
}

function changePassword(app: TestApp, token: string, body: unknown): Promise<Response> {
  return app.fetch('/users/me/password', {
    method: 'POST',
    headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
    body: JSON.stringify(body),
  })
}

const getMe = (app: TestApp, token: string) =>
  app.fetch('/users/me', { headers: { authorization: `Bearer ${token}` } })

test('shows the account in the shape of the administration', async (t) => {
  const { app, user, token } = await startWithUser(t)
  const answer = await getMe(app, token)
  t.equal(answer.status, 200)
  t.equal(answer.headers.get('cache-control'), 'no-store')
  const shown = await (await app.admin('GET', `/admin/users/${user.id}`)).json()
  t.same(await answer.json(), shown)
})

test('a client, a deleted and a disabled user have no account here', async (t) => {
  const { app, user, token } = await startWithUser(t)
  const answer = await app.form('/token', {
    grant_type: 'client_credentials',
    client_id: 'bootstrap-admin',
    client_secret: 'a-bootstrap-secret-of-enough-length',
  })
  const { access_token: ofClient } = (await answer.json()) as { access_token: string }
  const refused = await getMe(app, ofClient)
  t.match(await refused.json(), { status: 403, code: 'user_token_required' })
  t.equal(refused.headers.get('www-authenticate'), 'Bearer error="insufficient_scope"', '(C107)')
  await app.admin('PATCH', `/admin/users/${user.id}`, { status: 'disabled' })
  t.equal((await getMe(app, token)).status, 401)
  await app.admin('PATCH', `/admin/users/${user.id}`, { status: 'active' })
  t.equal((await getMe(app, token)).status, 401, 'enabling revives no session')
  await app.admin('DELETE', `/admin/users/${user.id}`)
  const gone = await getMe(app, token)
  t.equal(gone.status, 401)
  t.match(gone.headers.get('www-authenticate'), /^Bearer/)
})

test('a changed password is 204, and ends every session but this one (C56)', async (t) => {
  const { app, client, login, token, refreshToken } = await startWithUser(t)
  const other = await login()
  const passwords = { currentPassword: 'correct horse', newPassword: 'battery\0staple' }
  const answer = await changePassword(app, token, passwords)
  t.equal(answer.status, 204)
  t.equal(await answer.text(), '')
  const refresh = async (refresh_token: string) => {
    const form = { grant_type: 'refresh_token', client_id: client.id, refresh_token }
    return (await app.form('/token', form)).json()
  }
  t.equal((await getMe(app, token)).status, 200)
  t.match(await refresh(refreshToken), { token_type: 'Bearer' })
  t.equal((await getMe(app, other.access_token)).status, 401)
  t.match(await refresh(other.refresh_token), { error: 'invalid_grant' })
  await t.rejects(login('correct horse'))
  const again = await login('battery\0staple')
  const me = (await (await getMe(app, again.access_token)).json()) as Record<string, string>
  t.ok(me.passwordChangedAt && me.createdAt && me.passwordChangedAt > me.createdAt)
})

test('a wrong current password is 403 invalid_current_password and changes nothing', async (t) => {
  const { app, token, login } = await startWithUser(t)
  for (const currentPassword of ['wrong horse', '', 'a'.repeat(300), 'lone\ud800surrogate']) {
    const answer = await changePassword(app, token, { currentPassword, newPassword: 'new secret' })
    t.equal(answer.status, 403)
    t.match(await answer.json(), { code: 'invalid_current_password' })
  }
  t.equal((await getMe(app, token)).status, 200)
  t.ok(await login())
})

test('a new password keeps the policy: 422 with its pointer', async (t) => {
  const { app, token } = await startWithUser(t)
  const currentPassword = 'correct horse'
  for (const newPassword of ['short77', 'a'.repeat(257), 'password\ud800', null]) {
    const answer = await changePassword(app, token, { currentPassword, newPassword })
    t.equal(answer.status, 422)
    t.match(await answer.json(), { errors: [{ pointer: '/newPassword' }] })
  }
  const extra = { currentPassword, newPassword: 'new secret', logout: false }
  t.equal((await changePassword(app, token, extra)).status, 422)
})

test('of concurrent changes one is done, and the others know the old password', async (t) => {
  const { app, token } = await startWithUser(t)
  const answers = await Promise.all(
    ['first one', 'second one', 'third one'].map((newPassword) =>
      changePassword(app, token, { currentPassword: 'correct horse', newPassword }),
    ),
  )
  const statuses = answers.map(({ status }) => status).sort()
  t.equal(statuses[0], 204)
  t.same(statuses.slice(1), [403, 403])
  t.equal((await getMe(app, token)).status, 200)
})
