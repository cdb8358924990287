// Who was vouched for by another issuer has shown no password here, and changes nothing about factors
// (docs/semantics.md §16, §22).

import { test } from 'tap'
import { lastReason } from '../../scenes/assertion-scene.ts'
import { asUser, enroll, startSteppedApp } from '../../scenes/factor-scene.ts'
import { trustPlatform } from '../../scenes/platform-scene.ts'
import { ISSUER } from '../../support/app.ts'

const GRANT = 'urn:ietf:params:oauth:grant-type:jwt-bearer'

test('who was vouched for has shown no factor, and takes none away', async (t) => {
  const app = await startSteppedApp(t)
  const web = await app.makeClient({ audiences: [ISSUER] })
  const user = await app.makeUser()
  const { authenticator } = await enroll(app, web, user)
  const subjects = { mode: 'users', claim: 'lineage_user', match: 'id' }
  const idp = await trustPlatform(app, 'oidc', { id: 'idp', subjects })
  const { id, secret } = await app.makeClient({
    type: 'confidential',
    grantTypes: [GRANT],
    audiences: [ISSUER],
  })
  const exp = Math.floor(app.nowMs() / 1000) + 200
  const answer = await app.form('/token', {
    grant_type: GRANT,
    client_id: id,
    client_secret: secret,
    assertion: await idp.token({ claims: { lineage_user: user.id, exp } }),
  })
  t.equal(answer.status, 200)
  const { access_token: token } = (await answer.json()) as { access_token: string }
  const me = await app.fetch('/users/me', { headers: { authorization: `Bearer ${token}` } })
  t.equal(me.status, 200, 'the token is one of the user')
  const calls = [
    ['GET', 'factors'],
    ['POST', 'factors', { type: 'totp' }],
    ['POST', `factors/${authenticator.id}/activate`, { code: '123456' }],
    ['DELETE', `factors/${authenticator.id}`],
    ['POST', 'recovery-codes'],
  ] as const
  for (const [method, path, body] of calls) {
    const refused = await asUser(app, token, method, path, body)
    t.equal(refused.status, 403, `${method} ${path}`)
    t.match(await refused.json(), { code: 'recent_login_required' })
    t.equal(lastReason(app.log), 'recent_login_required')
  }
  const login = await app.form('/token', {
    grant_type: 'password',
    client_id: web.id,
    username: user.username,
    password: user.password,
  })
  t.match(await login.json(), { error: 'mfa_required' }, 'the password alone is not enough')
})
