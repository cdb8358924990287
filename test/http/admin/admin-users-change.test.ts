// /admin/users/{id}: what a change is, and whose sessions it ends (C56, C58).

import { test } from 'tap'
import { logIn, startApp } from '../../support/app.ts'

async function startWithUser(t: Parameters<typeof startApp>[0]) {
  const app = await startApp(t)
  const client = await app.makeClient({})
  const user = await app.makeUser({ username: 'Alice', email: 'alice@example.org' })
  const path = `/admin/users/${user.id}`
  return {
    app,
    user,
    path,
    login: (password = user.password) => logIn(app, client, { ...user, password }),
    patch: (body: unknown) => app.admin('PATCH', path, body),
    async refresh(refreshToken: string): Promise<number> {
      const answer = await app.form('/token', {
        grant_type: 'refresh_token',
        client_id: client.id,
        refresh_token: refreshToken,
      })
      return answer.status
    },
  }
}

test('a patch changes what it names and answers with all of it', async (t) => {
  const { app, path, patch } = await startWithUser(t)
  const before = (await (await app.admin('GET', path)).json()) as Record<string, unknown>
  const change = {
    username: 'Ｂob',
    email: 'bob@example.org',
    emailVerified: true,
    status: 'disabled',
    roles: ['b', 'a'],
  }
  const answer = await patch(change)
  t.equal(answer.status, 200)
  const after = (await answer.json()) as Record<string, unknown>
  t.same({ ...after, updatedAt: '' }, { ...before, ...change, username: 'Bob', updatedAt: '' })
  t.same(await (await app.admin('GET', path)).json(), after)
  t.same(await (await patch({})).json(), after, 'an empty patch changes nothing')
})

test('a new email is unverified, unless the same patch says otherwise', async (t) => {
  const { patch } = await startWithUser(t)
  const verifiedAfter = async (body: unknown) => {
    await patch({ email: 'alice@example.org', emailVerified: true })
    return ((await (await patch(body)).json()) as { emailVerified: boolean }).emailVerified
  }
  t.equal(await verifiedAfter({ email: 'other@example.org' }), false)
  t.equal(
    await verifiedAfter({ email: 'Alice@example.org' }),
    false,
    'by its letters another address',
  )
  t.equal(await verifiedAfter({ email: 'other@example.org', emailVerified: true }), true)
  t.equal(await verifiedAfter({ email: 'alice@example.org' }), true, 'no other than it was')
  t.equal(await verifiedAfter({ username: 'bob' }), true)
})

test('a patch of anything else is 422, null too (RFC 7396 removes, these stay)', async (t) => {
  const { app, path, patch } = await startWithUser(t)
  const before = await (await app.admin('GET', path)).json()
  const refused: [unknown, string][] = [
    [{ id: 'x' }, '/id'],
    [{ password: 'correct horse' }, '/password'],
    [{ createdAt: '2030-01-01T00:00:00Z' }, '/createdAt'],
    [{ status: 'deleted' }, '/status'],
    [{ status: null }, '/status'],
    [{ username: null }, '/username'],
    [{ username: 'a@b' }, '/username'],
    [{ email: 'nobody' }, '/email'],
    [{ roles: null }, '/roles'],
    [{ roles: 'admin' }, '/roles'],
    [{ emailVerified: 1 }, '/emailVerified'],
    [[{ op: 'replace' }], ''],
  ]
  for (const [body, pointer] of refused) {
    const answer = await patch(body)
    t.equal(answer.status, 422, JSON.stringify(body))
    t.match(await answer.json(), { errors: [{ pointer }] })
  }
  t.same(await (await app.admin('GET', path)).json(), before)
})

test('a patch may come as application/merge-patch+json', async (t) => {
  const { app, path } = await startWithUser(t)
  const refused = await app.fetch(path, { method: 'PATCH' })
  t.equal(refused.status, 401)
  const { access_token: token } = (await (
    await app.form('/token', {
      grant_type: 'client_credentials',
      client_id: 'bootstrap-admin',
      client_secret: 'a-bootstrap-secret-of-enough-length',
    })
  ).json()) as { access_token: string }
  const send = (type: string) =>
    app.fetch(path, {
      method: 'PATCH',
      headers: { authorization: `Bearer ${token}`, 'content-type': type },
      body: '{"emailVerified":true}',
    })
  t.match(await (await send('application/merge-patch+json')).json(), { emailVerified: true })
  t.equal((await send('text/plain')).status, 415)
})

test('a name that somebody else holds is 409; one keeps an own name in another case', async (t) => {
  const { app, patch } = await startWithUser(t)
  await app.makeUser({ username: 'bob', email: 'bob@example.org' })
  const answer = await patch({ username: 'BOB' })
  t.equal(answer.status, 409)
  t.match(await answer.json(), { errors: [{ pointer: '/username' }] })
  t.match(await (await patch({ email: 'Bob@example.org' })).json(), {
    status: 409,
    errors: [{ pointer: '/email' }],
  })
  t.match(await (await patch({ username: 'ALICE' })).json(), { username: 'ALICE' })
})

test('disabling ends every session for good, and no login gets in (C58)', async (t) => {
  const { login, patch, refresh } = await startWithUser(t)
  const { refresh_token: refreshToken } = await login()
  await patch({ status: 'disabled' })
  t.equal(await refresh(refreshToken), 400)
  await t.rejects(login())
  await patch({ status: 'active' })
  t.equal(await refresh(refreshToken), 400, 'enabling does not bring sessions back')
  t.ok(await login())
})

test('deleting ends every session, and the name may be somebody else (C58)', async (t) => {
  const { app, path, user, login, refresh } = await startWithUser(t)
  const { refresh_token: refreshToken } = await login()
  await app.admin('DELETE', path)
  t.equal(await refresh(refreshToken), 400)
  const again = await app.makeUser({ username: 'alice', email: 'alice@example.org' })
  t.not(again.id, user.id)
  t.equal(await refresh(refreshToken), 400)
  t.ok(await login(again.password))
})

test('a password set by the administrator is 204 and ends every session (C56)', async (t) => {
  const { app, path, login, refresh } = await startWithUser(t)
  const { refresh_token: refreshToken } = await login()
  const short = await app.admin('PUT', `${path}/password`, { password: 'short' })
  t.equal(short.status, 422)
  t.match(await short.json(), { errors: [{ pointer: '/password' }] })
  t.equal(await refresh(refreshToken), 200)
  const answer = await app.admin('PUT', `${path}/password`, { password: 'battery staple' })
  t.equal(answer.status, 204)
  t.equal(await refresh(refreshToken), 400)
  await t.rejects(login())
  t.ok(await login('battery staple'))
})
