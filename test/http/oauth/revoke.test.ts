// POST /revoke (RFC 7009): effective at once, silent about what it found.

import { type Test, test } from 'tap'
import { logIn, startApp, type TestApp, type TokenAnswer } from '../../support/app.ts'

async function openScene(t: Test) {
  const app = await startApp(t)
  const client = await app.makeClient({})
  const user = await app.makeUser()
  return { app, client, user }
}

function me(app: TestApp, token: string) {
  return app.fetch('/users/me', { headers: { authorization: `Bearer ${token}` } })
}

async function refresh(app: TestApp, clientId: string, token: string) {
  return await app.form('/token', {
    grant_type: 'refresh_token',
    client_id: clientId,
    refresh_token: token,
  })
}

test('a refresh token takes its family and its access tokens along (C86, C87)', async (t) => {
  const { app, client, user } = await openScene(t)
  const login = await logIn(app, client, user)
  const kept = await logIn(app, client, user)
  t.equal((await me(app, login.access_token)).status, 200)
  const answer = await app.form('/revoke', { client_id: client.id, token: login.refresh_token })
  t.equal(answer.status, 200)
  t.equal(await answer.text(), '', 'an empty body (C84)')
  t.equal(answer.headers.get('cache-control'), 'no-store')
  t.equal((await refresh(app, client.id, login.refresh_token)).status, 400)
  t.equal((await me(app, login.access_token)).status, 401)
  t.equal((await me(app, kept.access_token)).status, 200, 'another session lives')
  t.equal((await refresh(app, client.id, kept.refresh_token)).status, 200)
})

test('any generation ends the family, an old one too (RFC 7009 §2.1)', async (t) => {
  const { app, client, user } = await openScene(t)
  const login = await logIn(app, client, user)
  const next = (await (await refresh(app, client.id, login.refresh_token)).json()) as TokenAnswer
  await app.form('/revoke', { client_id: client.id, token: login.refresh_token })
  t.equal((await refresh(app, client.id, next.refresh_token)).status, 400)
})

test('an access token ends alone', async (t) => {
  const { app, client, user } = await openScene(t)
  const login = await logIn(app, client, user)
  const next = (await (await refresh(app, client.id, login.refresh_token)).json()) as TokenAnswer
  await app.form('/revoke', { client_id: client.id, token: login.access_token })
  t.equal((await me(app, login.access_token)).status, 401)
  t.equal((await me(app, next.access_token)).status, 200)
  t.equal((await refresh(app, client.id, next.refresh_token)).status, 200)
})

test('a hint never narrows the search (RFC 7009 §2.1, C85)', async (t) => {
  const { app, client, user } = await openScene(t)
  for (const hint of ['access_token', 'refresh_token', 'saml', '']) {
    const login = await logIn(app, client, user)
    const answer = await app.form('/revoke', {
      client_id: client.id,
      token: login.refresh_token,
      token_type_hint: hint,
    })
    t.equal(answer.status, 200, hint)
    t.equal((await me(app, login.access_token)).status, 401, hint)
  }
})

test("another client's tokens stay as they are, and the answer is the same (C83, C84)", async (t) => {
  const { app, client, user } = await openScene(t)
  const other = await app.makeClient({})
  const login = await logIn(app, client, user)
  for (const token of [
    login.refresh_token,
    login.access_token,
    'unknown',
    `lrt_${'a'.repeat(94)}`,
  ]) {
    const answer = await app.form('/revoke', { client_id: other.id, token })
    t.equal(answer.status, 200)
    t.equal(await answer.text(), '')
  }
  t.equal((await me(app, login.access_token)).status, 200)
  t.equal((await refresh(app, client.id, login.refresh_token)).status, 200)
})

test('needs a token and an authenticated client (C82, C88)', async (t) => {
  const { app, client, user } = await openScene(t)
  const missing = await app.form('/revoke', { client_id: client.id })
  t.equal(missing.status, 400)
  t.match(await missing.json(), { error: 'invalid_request' })
  const login = await logIn(app, client, user)
  const nobody = await app.form('/revoke', { token: login.refresh_token })
  t.equal(nobody.status, 401)
  t.match(nobody.headers.get('www-authenticate'), /^Basic /, '(C18)')
  t.match(await nobody.json(), { error: 'invalid_client' })
  const confidential = await app.makeClient({
    type: 'confidential',
    grantTypes: ['password', 'refresh_token'],
  })
  const bare = await app.form('/revoke', { client_id: confidential.id, token: login.refresh_token })
  t.equal(bare.status, 401, 'a confidential client without its secret (C28)')
  const twice = await app.fetch('/revoke', {
    method: 'POST',
    body: new URLSearchParams([
      ['client_id', client.id],
      ['token', 'a'],
      ['token', 'b'],
    ]),
  })
  t.equal(twice.status, 400, '(C3)')
  t.equal((await me(app, login.access_token)).status, 200)
})

test('a repeated revocation changes nothing more, and leaves one event', async (t) => {
  const { app, client, user } = await openScene(t)
  const logins = [await logIn(app, client, user), await logIn(app, client, user)]
  const [first, second] = logins as [TokenAnswer, TokenAnswer]
  for (const token of [first.refresh_token, second.access_token]) {
    for (let round = 0; round < 3; round += 1) {
      const answer = await app.form('/revoke', { client_id: client.id, token })
      t.equal(answer.status, 200)
    }
  }
  t.equal(app.log.filter(({ event }) => event === 'token.revoked').length, 2)
})
