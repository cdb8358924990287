// Tokens that are bound to a certificate (RFC 8705 §3): what is in them, and who refreshes them
// (docs/semantics.md §24; C37).

import { decodeJwt } from 'jose'
import { type Test, test } from 'tap'
import { callerWith, makeTlsFolder, startTlsApp } from '../../scenes/tls-scene.ts'
import type { Send, TestApp } from '../../support/app.ts'
import { type Certified, makeSelfSigned } from '../../support/certificates.ts'

const MINE = makeSelfSigned({ subject: [['CN', 'mine']] })
const OTHERS = makeSelfSigned({ subject: [['CN', 'mine']] })

interface Answer {
  readonly status: number
  readonly body: Record<string, string>
}

async function openScene(t: Test) {
  const app = await startTlsApp(t, makeTlsFolder(t))
  const user = await app.makeUser()
  const client = await app.makeClient({ tlsClientCertificateBoundAccessTokens: true })
  async function post(
    parameters: Record<string, string>,
    certificate?: Certified,
  ): Promise<Answer> {
    const send: Send = callerWith(certificate)
    const body = new URLSearchParams({ client_id: client.id, ...parameters })
    const answer = await send(`${app.url}/token`, { method: 'POST', body })
    return { status: answer.status, body: (await answer.json()) as Record<string, string> }
  }
  const { username, password } = user
  const login = (certificate?: Certified) =>
    post({ grant_type: 'password', username, password }, certificate)
  const refresh = (token: string | undefined, certificate?: Certified) =>
    post({ grant_type: 'refresh_token', refresh_token: token ?? '' }, certificate)
  return { app, client, login, refresh }
}

const refusedFor = ({ log }: TestApp) =>
  log.findLast(({ event }) => event === 'request.refused')?.reason

test('the token names the certificate of its request', async (t) => {
  const { app, login } = await openScene(t)
  const { status, body } = await login(MINE)
  t.equal(status, 200)
  t.equal(body.token_type, 'Bearer')
  t.strictSame(decodeJwt(body.access_token ?? '').cnf, { 'x5t#S256': MINE.thumbprint })
  const caller = await app.makeClient({
    type: 'confidential',
    grantTypes: ['client_credentials'],
    scopes: ['lineage:introspect'],
  })
  const shown = await app.form('/introspect', {
    token: body.access_token,
    client_id: caller.id,
    client_secret: caller.secret,
  })
  t.match(await shown.json(), { active: true, cnf: { 'x5t#S256': MINE.thumbprint } })
})

test('without a certificate, or with one out of date, there is no token', async (t) => {
  const { app, login } = await openScene(t)
  const expired = makeSelfSigned({
    notBefore: new Date(Date.now() - 9e8),
    notAfter: new Date(Date.now() - 5e7),
  })
  for (const [certificate, reason] of [
    [undefined, 'certificate_required'],
    [expired, 'certificate_unusable'],
  ] as const) {
    const { status, body } = await login(certificate)
    t.equal(status, 400)
    t.equal(body.error, 'invalid_request')
    t.equal(refusedFor(app), reason)
  }
})

test('only the certificate of the login refreshes a public client', async (t) => {
  const { app, login, refresh } = await openScene(t)
  const first = (await login(MINE)).body
  const stolen = await refresh(first.refresh_token, OTHERS)
  t.equal(stolen.status, 400)
  t.equal(stolen.body.error, 'invalid_grant')
  t.equal(refusedFor(app), 'refresh_family_key_mismatch')
  t.equal((await refresh(first.refresh_token)).body.error, 'invalid_request')
  const second = await refresh(first.refresh_token, MINE)
  t.equal(second.status, 200, 'and nothing was lost by the others')
  t.strictSame(decodeJwt(second.body.access_token ?? '').cnf, { 'x5t#S256': MINE.thumbprint })
})

test('a bound token opens nothing without its certificate', async (t) => {
  const { app, login } = await openScene(t)
  const { body } = await login(MINE)
  const headers = { authorization: `Bearer ${body.access_token}` }
  const shown: readonly (readonly [Certified | undefined, number, string | undefined])[] = [
    [MINE, 200, undefined],
    [undefined, 401, 'certificate_absent'],
    [OTHERS, 401, 'certificate_of_other'],
  ]
  for (const path of ['/users/me', '/users/me/sessions', '/verify', '/verify/some/path']) {
    for (const [certificate, status, reason] of shown) {
      const answer = await callerWith(certificate)(`${app.url}${path}`, { headers })
      t.equal(answer.status, status, `${path} ${reason}`)
      if (reason) t.equal(refusedFor(app), reason, path)
      if (reason) t.match(answer.headers.get('www-authenticate'), /^Bearer error="invalid_token"/)
    }
  }
  const plain = await app.makeClient({})
  const user = await app.makeUser()
  const { username, password } = user
  const form = { grant_type: 'password', client_id: plain.id, username, password }
  const unbound = await app.form('/token', form)
  const { access_token: token } = (await unbound.json()) as { access_token: string }
  const free = { authorization: `Bearer ${token}` }
  t.equal((await callerWith(OTHERS)(`${app.url}/users/me`, { headers: free })).status, 200)
})

test('an administrator whose token is bound needs the certificate, too', async (t) => {
  const { app } = await openScene(t)
  const client = await app.makeClient({
    type: 'confidential',
    grantTypes: ['client_credentials'],
    scopes: ['lineage:admin'],
    defaultScopes: ['lineage:admin'],
    tlsClientCertificateBoundAccessTokens: true,
  })
  const form = {
    client_id: client.id,
    client_secret: client.secret,
    grant_type: 'client_credentials',
  }
  const body = new URLSearchParams(form)
  const answer = await callerWith(MINE)(`${app.url}/token`, { method: 'POST', body })
  const { access_token: token } = (await answer.json()) as { access_token: string }
  const headers = { authorization: `Bearer ${token}` }
  const statusWith = async (certificate?: Certified) =>
    (await callerWith(certificate)(`${app.url}/admin/users`, { headers })).status
  t.equal(await statusWith(MINE), 200)
  t.equal(await statusWith(OTHERS), 401)
  t.equal(await statusWith(), 401)
})
