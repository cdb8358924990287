// grant_type=token-exchange (RFC 8693): what the new token says and what it does not, whose it is, and
// what the log and the events tell (docs/semantics.md §25).

import { decodeJwt } from 'jose'
import { test } from 'tap'
import {
  ACCESS_TOKEN,
  BILLING,
  EXCHANGE,
  ORDERS,
  openExchangeScene,
  STOCK,
} from '../../scenes/exchange-scene.ts'
import { trustPlatform } from '../../scenes/platform-scene.ts'
import { readEvents, waitForEvent } from '../../support/audit.ts'

const JWT_BEARER = 'urn:ietf:params:oauth:grant-type:jwt-bearer'
const JWT = 'urn:ietf:params:oauth:token-type:jwt'

test('delegation: the subject stays, the client acts, and it is named (RFC 8693 §4.1)', async (t) => {
  const { user, logIn, exchange } = await openExchangeScene(t)
  const subject = await logIn()
  const before = decodeJwt(subject)
  const { status, body, claims } = await exchange(subject, { resource: ORDERS })
  t.equal(status, 200)
  t.strictSame(Object.keys(body).sort(), [
    'access_token',
    'expires_in',
    'issued_token_type',
    'scope',
    'token_type',
  ])
  t.match(body, {
    issued_token_type: ACCESS_TOKEN,
    token_type: 'Bearer',
    scope: 'orders:read orders:write',
  })
  const { jti, iat, exp, ...said } = claims
  t.strictSame(said, {
    iss: before.iss,
    sub: user.id,
    aud: ORDERS,
    client_id: 'gateway',
    scope: 'orders:read orders:write',
    sid: before.sid,
    auth_time: before.auth_time,
    amr: before.amr,
    roles: before.roles,
    act: { sub: 'gateway' },
    exchanged_from: [{ jti: before.jti, client_id: 'web', iat: before.iat }],
  })
  t.not(jti, before.jti)
  t.ok(Number(exp) <= Number(before.exp))
  const again = await exchange(subject, { resource: ORDERS })
  t.not(again.claims.jti, jti, 'every exchange makes a token of its own')
})

test('the target is a resource or an audience, once; without one the first rule that fits', async (t) => {
  const { logIn, exchange } = await openExchangeScene(t)
  const subject = await logIn()
  t.equal((await exchange(subject)).claims.aud, ORDERS)
  t.equal((await exchange(subject, { audience: BILLING })).claims.aud, BILLING)
  t.equal((await exchange(subject, { audience: BILLING, resource: BILLING })).claims.aud, BILLING)
  t.equal((await exchange(subject, { audience: 'ledger' })).claims.aud, 'ledger')
  const jwt = await exchange(subject, { subject_token_type: JWT, requested_token_type: JWT })
  t.match([jwt.status, jwt.body.issued_token_type], [200, JWT])
})

test('scope narrows: what is asked, within the subject token and the policy', async (t) => {
  const scene = await openExchangeScene(t)
  const subject = await scene.logIn()
  t.equal((await scene.exchange(subject, { scope: 'orders:read' })).body.scope, 'orders:read')
  t.equal((await scene.exchange(subject, { audience: BILLING })).body.scope, 'orders:read')
  const own = await scene.ownToken('batch', { scope: 'profile' })
  const empty = await scene.exchange(own)
  t.strictSame([empty.status, empty.body.scope, empty.claims.scope], [200, '', undefined])
})

test('impersonation names nobody, and hides nobody who was named before', async (t) => {
  const { logIn, exchange } = await openExchangeScene(t)
  const plain = await exchange(await logIn(), { audience: BILLING })
  t.equal(plain.claims.act, undefined)
  t.match(plain.claims, { client_id: 'gateway', exchanged_from: [{ client_id: 'web' }] })
  const first = await exchange(await logIn())
  const second = await exchange(first.token, { audience: STOCK }, 'orders')
  const third = await exchange(second.token, { audience: BILLING })
  t.strictSame(third.claims.act, { sub: 'orders', act: { sub: 'gateway' } })
})

test("a client's token is exchanged, too, and stays the client's", async (t) => {
  const { ownToken, exchange, isGood } = await openExchangeScene(t)
  const own = await ownToken('batch')
  const { token, claims } = await exchange(own)
  t.match(claims, { sub: 'batch', client_id: 'gateway', act: { sub: 'gateway' } })
  t.strictSame([claims.sid, claims.roles, claims.auth_time], [undefined, undefined, undefined])
  t.ok(await isGood(token))
})

test('a subject of a trusted issuer stays one, acts for nobody, and ends with its issuer', async (t) => {
  const scene = await openExchangeScene(t)
  const { app, exchange, isGood } = scene
  const idp = await trustPlatform(app, 'oidc', { id: 'idp', subjects: { mode: 'own' } }, undefined)
  await app.admin('PATCH', '/admin/clients/batch', {
    grantTypes: ['client_credentials', JWT_BEARER],
    defaultScopes: ['orders:read'],
  })
  const assertion = await idp.token()
  const external = await scene.ownToken('batch', { grant_type: JWT_BEARER, assertion })
  const { token, claims } = await exchange(external)
  t.match(claims, { sub: `idp:${idp.subject}`, client_id: 'gateway', scope: 'orders:read' })
  t.strictSame([claims.sid, claims.roles, claims.act], [undefined, undefined, { sub: 'gateway' }])
  t.ok(await isGood(token))
  const form = { actor_token: external, actor_token_type: ACCESS_TOKEN }
  t.equal((await exchange(await scene.logIn(), form)).status, 400)
  t.equal(scene.lastReason(), 'exchange_actor_no_client')
  await app.admin('DELETE', '/admin/trusted-issuers/idp')
  t.equal(await isGood(token), false)
})

test('an actor token names its subject, and limits the life of the new token', async (t) => {
  let nowMs = Date.now()
  const scene = await openExchangeScene(t, 'postgresql', { clock: () => nowMs })
  const actorToken = await scene.ownToken('gateway')
  nowMs += 60_000
  const form = { actor_token: actorToken, actor_token_type: ACCESS_TOKEN }
  const acted = await scene.exchange(await scene.logIn(), form)
  t.strictSame(acted.claims.act, { sub: 'gateway' })
  t.equal(acted.claims.exp, decodeJwt(actorToken).exp)
  const agent = { ...form, actor_token: await scene.ownToken('batch') }
  const byBatch = await scene.exchange(await scene.logIn(), agent)
  t.strictSame(byBatch.claims.act, { sub: 'batch' }, 'of a client that the rule names')
  t.ok(await scene.isGood(byBatch.token))
})

test('exp is that of the subject token at the latest, however long its client lets tokens live', async (t) => {
  let nowMs = Date.now()
  const { app, logIn, exchange } = await openExchangeScene(t, 'postgresql', { clock: () => nowMs })
  await app.admin('PATCH', '/admin/clients/gateway', { accessTokenTtlSeconds: 86_400 })
  const subject = await logIn()
  nowMs += 599_000
  const { claims, body } = await exchange(subject)
  t.equal(claims.exp, decodeJwt(subject).exp)
  t.ok(Number(body.expires_in) <= 1)
})

test('/verify names who acts, /introspect the whole chain, for its client and its watchers', async (t) => {
  const { app, user, logIn, exchange, secretOf } = await openExchangeScene(t)
  const first = await exchange(await logIn())
  const { token } = await exchange(first.token, {}, 'orders')
  const headers = { authorization: `Bearer ${token}` }
  const verified = await app.fetch('/verify', { headers })
  t.equal(verified.headers.get('x-auth-actor'), 'orders')
  t.equal(verified.headers.get('x-auth-subject'), user.id)
  t.equal(verified.headers.get('x-auth-client'), 'orders')
  const see = async (id: string) => {
    const form = { client_id: id, client_secret: secretOf(id), token }
    return (await (await app.form('/introspect', form)).json()) as Record<string, unknown>
  }
  t.match(await see('orders'), { active: true, act: { sub: 'orders', act: { sub: 'gateway' } } })
  t.equal((await see('watcher')).active, true)
  t.strictSame(await see('gateway'), { active: false }, 'it is not issued to this one')
})

test('an exchanged token opens neither the account nor the administration', async (t) => {
  const { app, logIn, exchange } = await openExchangeScene(t)
  const rule = { audience: app.service.config.issuer, scopes: [], subjectClients: ['web'] }
  const exchange_ = [{ ...rule, mode: 'impersonation' }]
  await app.admin('PATCH', '/admin/clients/gateway', { exchange: exchange_ })
  const { token, claims } = await exchange(await logIn())
  t.equal(claims.aud, app.service.config.issuer)
  const headers = { authorization: `Bearer ${token}` }
  const me = await app.fetch('/users/me', { headers })
  t.match([me.status, await me.json()], [403, { code: 'user_token_required' }])
  t.match(app.log.at(-1), { status: 403 })
  t.equal((await app.fetch('/admin/users', { headers })).status, 403)
})

test('an event has both parties; a thousand exchanges between them are one that counts', async (t) => {
  const { app, user, logIn, exchange } = await openExchangeScene(t)
  const subject = await logIn()
  for (let i = 0; i < 20; i += 1) await exchange(subject)
  await exchange(subject, { audience: BILLING })
  await waitForEvent(app, 'token.exchanged', { subject: user.id })
  const events = async () => await readEvents(app, '&type=token.exchanged')
  const count = (found: Awaited<ReturnType<typeof events>>) =>
    found.reduce((sum, { detail }) => sum + Number(detail?.count), 0)
  let found = await events()
  while (count(found) < 21) found = await events()
  t.ok(found.length <= 4, 'one for each target and minute')
  t.match(found.at(-1), {
    type: 'token.exchanged',
    subject: user.id,
    clientId: 'gateway',
    sessionId: String(decodeJwt(subject).sid),
    detail: { actor: 'gateway', audience: ORDERS, mode: 'delegation' },
  })
})

test('the metadata lists the grant', async (t) => {
  const { app } = await openExchangeScene(t)
  const answer = await app.fetch('/.well-known/oauth-authorization-server')
  const { grant_types_supported: grants } = (await answer.json()) as Record<string, string[]>
  t.ok(grants?.includes(EXCHANGE))
})
