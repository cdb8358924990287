// What a client's list of audiences means at every grant: the default audience is for clients that
// list none, and a client that has lost it has lost it for living sessions too.

import { decodeJwt } from 'jose'
import { type Test, test } from 'tap'
import { ISSUER, logIn, startApp, type TokenAnswer } from '../../support/app.ts'

const API = 'https://api.example'

async function openScene(t: Test, audiences: string[]) {
  const app = await startApp(t)
  const scope = { scopes: ['lineage:admin'], defaultScopes: ['lineage:admin'] }
  const client = await app.makeClient({ ...scope, audiences })
  const user = await app.makeUser({ roles: ['lineage:admin'] })
  let { refresh_token: token } = await logIn(app, client, user)
  return {
    app,
    setAudiences: (next: string[]) =>
      app.admin('PATCH', `/admin/clients/${client.id}`, { audiences: next }),
    /** The audience of the next access token, or the error; and whether /admin lets it in. */
    async refresh(resource?: string) {
      const answer = await app.form('/token', {
        grant_type: 'refresh_token',
        client_id: client.id,
        refresh_token: token,
        resource,
      })
      const body = (await answer.json()) as TokenAnswer & { error?: string }
      if (answer.status !== 200) return body.error
      token = body.refresh_token
      const headers = { authorization: `Bearer ${body.access_token}` }
      const { status } = await app.fetch('/admin/clients', { headers })
      return [decodeJwt(body.access_token).aud, status]
    },
  }
}

test('a session at the default audience ends where the client is given others', async (t) => {
  const { refresh, setAudiences } = await openScene(t, [])
  t.strictSame(await refresh(), [ISSUER, 200])
  await setAudiences([API])
  t.equal(await refresh(), 'invalid_target')
  t.equal(await refresh(ISSUER), 'invalid_target')
  t.equal(await refresh(API), 'invalid_target', 'which was never granted')
  await setAudiences([])
  t.strictSame(await refresh(), [ISSUER, 200], 'refused, not revoked')
})

test('a client that names the default audience and loses it keeps the rest', async (t) => {
  const { refresh, setAudiences } = await openScene(t, [ISSUER, API])
  t.strictSame(await refresh(), [ISSUER, 200])
  await setAudiences([API])
  t.strictSame(await refresh(), [API, 401])
  t.equal(await refresh(ISSUER), 'invalid_target')
})

test('a client that lists none any more gets no more than was granted', async (t) => {
  const { refresh, setAudiences } = await openScene(t, [API])
  await setAudiences([])
  t.equal(await refresh(), 'invalid_target')
  t.equal(await refresh(API), 'invalid_target')
  t.equal(await refresh(ISSUER), 'invalid_target')
})

test('client_credentials and logins obey the list of the same moment', async (t) => {
  const app = await startApp(t)
  const client = await app.makeClient({ type: 'confidential', grantTypes: ['client_credentials'] })
  const ask = async (resource?: string) => {
    const answer = await app.form('/token', {
      grant_type: 'client_credentials',
      client_id: client.id,
      client_secret: client.secret,
      resource,
    })
    const body = (await answer.json()) as TokenAnswer & { error?: string }
    return body.error ?? decodeJwt(body.access_token).aud
  }
  t.equal(await ask(), ISSUER)
  await app.admin('PATCH', `/admin/clients/${client.id}`, { audiences: [API] })
  t.equal(await ask(), API)
  t.equal(await ask(ISSUER), 'invalid_target')
})
