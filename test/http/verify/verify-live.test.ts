// A token passes /verify as long as it is good, and not one request longer (docs/semantics.md §1,
// §10); what is not a token of ours never does.

import { createHmac, createPublicKey, type JsonWebKey } from 'node:crypto'
import { decodeJwt, decodeProtectedHeader, SignJWT } from 'jose'
import { test } from 'tap'
import { makeKeyPairSync } from '../../../src/runtime/key-pair.ts'
import { ask, openVerifyScene, type VerifyScene } from '../../scenes/verify-scene.ts'
import { logIn, startApp, type TokenAnswer } from '../../support/app.ts'

async function isRefused(scene: VerifyScene, token: string): Promise<boolean> {
  const answers = await Promise.all(
    ['/verify', '/verify/x'].map((path) => ask({ ...scene, token }, `GET ${path}`)),
  )
  return answers.every(
    (answer) =>
      answer?.status === 401 &&
      answer.headers['www-authenticate'] === 'Bearer error="invalid_token"' &&
      !Object.keys(answer.headers).some((name) => name.startsWith('x-auth')),
  )
}

test('a token that was taken back is refused at once', async (t) => {
  const scene = await openVerifyScene(t)
  const { app, client, user, token } = scene
  const second = await logIn(app, client, user)
  const third = await logIn(app, client, user)
  const sidOf = (jwt: string) => String(decodeJwt(jwt).sid)
  for (const [what, ended, act] of [
    ['the access token revoked', token, () => app.form('/revoke', { client_id: client.id, token })],
    [
      'the refresh token revoked',
      second.access_token,
      () => app.form('/revoke', { client_id: client.id, token: second.refresh_token }),
    ],
    [
      'the session ended',
      third.access_token,
      () => app.admin('DELETE', `/admin/users/${user.id}/sessions/${sidOf(third.access_token)}`),
    ],
  ] as const) {
    t.equal((await ask({ ...scene, token: ended }, 'GET /verify'))?.status, 200, `before: ${what}`)
    t.match((await act()).status, /^20[04]$/, what)
    t.ok(await isRefused(scene, ended), what)
  }
})

test('a token dies with its user, and does not come back with them', async (t) => {
  const scene = await openVerifyScene(t)
  const { app, client, user } = scene
  const path = `/admin/users/${user.id}`
  for (const [what, act] of [
    ['a new password', () => app.admin('PUT', `${path}/password`, { password: user.password })],
    ['logout everywhere', () => app.admin('DELETE', `${path}/sessions`)],
    ['disabled', () => app.admin('PATCH', path, { status: 'disabled' })],
    ['deleted', () => app.admin('DELETE', path)],
  ] as const) {
    const { access_token: token } = await logIn(app, client, user)
    t.equal((await ask({ ...scene, token }, 'GET /verify'))?.status, 200, `before: ${what}`)
    t.match((await act()).status, /^20[04]$/, what)
    t.ok(await isRefused(scene, token), what)
    if (what === 'disabled') {
      await app.admin('PATCH', path, { status: 'active' })
      t.ok(await isRefused(scene, token), 'active again')
    }
  }
})

test('a token dies with its client, also the client’s own', async (t) => {
  const scene = await openVerifyScene(t)
  const { app, client, token } = scene
  const machine = await app.makeClient({ type: 'confidential', grantTypes: ['client_credentials'] })
  const answer = await app.form('/token', {
    grant_type: 'client_credentials',
    client_id: machine.id,
    client_secret: machine.secret,
  })
  const { access_token: own } = (await answer.json()) as TokenAnswer
  t.equal((await ask({ ...scene, token: own }, 'GET /verify'))?.status, 200)
  for (const [{ id }, ended] of [
    [client, token],
    [machine, own],
  ] as const) {
    t.equal((await app.admin('DELETE', `/admin/clients/${id}`)).status, 204)
    t.ok(await isRefused(scene, ended))
  }
})

test('scopes and roles are those of this moment', async (t) => {
  const scene = await openVerifyScene(t)
  const { app, client, user, verify } = scene
  const { access_token: token } = await logIn(app, client, user, { scope: 'read lineage:admin' })
  const headers = { authorization: `Bearer ${token}` }
  const seen = async () => {
    const answer = await verify('/verify', { headers })
    return [answer.headers.get('x-auth-scope'), answer.headers.get('x-auth-roles')]
  }
  const demand = async (scope: string) =>
    (await verify(`/verify?scope=${scope}`, { headers })).status
  t.strictSame(await seen(), ['read lineage:admin', 'support lineage:admin'])
  t.equal(await demand('lineage:admin'), 200)
  await app.admin('PATCH', `/admin/users/${user.id}`, { roles: [] })
  t.strictSame(await seen(), ['read', '-'])
  t.equal(await demand('lineage:admin'), 403)
  await app.admin('PATCH', `/admin/clients/${client.id}`, { scopes: ['write'], defaultScopes: [] })
  t.strictSame(await seen(), ['-', '-'])
  t.equal(await demand('read'), 403)
})

test('a token is refused when it has expired', async (t) => {
  let stepMs = 0
  const scene = await openVerifyScene(t, {}, { clock: () => Date.now() + stepMs })
  stepMs = 590_000
  t.equal((await scene.verify()).status, 200)
  stepMs = 601_000
  t.ok(await isRefused(scene, scene.token))
})

test('what is signed by a compromised key is refused at once', async (t) => {
  const scene = await openVerifyScene(t)
  const { status } = await scene.app.admin('POST', '/admin/keys/rotate', { compromised: true })
  t.equal(status, 201)
  t.ok(await isRefused(scene, scene.token))
})

test('what is not an access token of ours is refused (C62, C67, C70)', async (t) => {
  const scene = await openVerifyScene(t)
  const { app, client, user, token } = scene
  const [head = '', body = '', signature = ''] = token.split('.')
  const { kid = '' } = decodeProtectedHeader(token)
  const { keys } = (await (await app.fetch('/.well-known/jwks.json')).json()) as {
    keys: JsonWebKey[]
  }
  const pem = createPublicKey({ key: keys[0] ?? {}, format: 'jwk' }).export({
    type: 'spki',
    format: 'pem',
  })
  const encode = (value: object) => Buffer.from(JSON.stringify(value)).toString('base64url')
  const none = `${encode({ alg: 'none', typ: 'at+jwt', kid })}.${body}.`
  const signedBy = (alg: string, key: string | Buffer) => {
    const signed = `${encode({ alg, typ: 'at+jwt', kid })}.${body}`
    return `${signed}.${createHmac('sha256', key).update(signed).digest('base64url')}`
  }
  const { privateKey } = makeKeyPairSync('ec', { namedCurve: 'P-256' })
  const sign = (claims: object) =>
    new SignJWT({ ...decodeJwt(token), ...claims })
      .setProtectedHeader({ alg: 'ES256', typ: 'at+jwt', kid })
      .sign(privateKey)
  const other = await startApp(t)
  const { refresh_token: refreshToken } = await logIn(app, client, user)
  for (const [what, bad] of Object.entries({
    'alg none': none,
    'alg none with the signature': `${none}${signature}`,
    'HS256 by the public key': signedBy('HS256', pem),
    'the MAC under the real alg': signedBy('ES256', pem),
    'a key of somebody else': await sign({}),
    'another issuer': await other.adminToken(),
    'another payload': `${head}.${encode({ ...decodeJwt(token), scope: 'everything' })}.${signature}`,
    'half a signature': token.slice(0, -10),
    'more parts': `${token}.${signature}`,
    'a refresh token': refreshToken,
  })) {
    t.ok(await isRefused(scene, bad), what)
  }
  t.equal((await scene.verify()).status, 200, 'the token itself is good')
})

test('it stays on the public port', async (t) => {
  const scene = await openVerifyScene(t)
  for (const [surface, status] of [
    ['public', 200],
    ['operations', 404],
  ] as const) {
    const app = await startApp(t, { surface, beside: scene.app })
    for (const path of ['/verify', '/verify/x', '/verify/%zz']) {
      t.equal((await ask({ ...scene, app }, `GET ${path}`))?.status, status, `${surface} ${path}`)
    }
  }
})
