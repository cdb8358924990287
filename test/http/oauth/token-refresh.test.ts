// grant_type=refresh_token over HTTP: one answer for every refusal, one successor for every retry.

import { decodeJwt } from 'jose'
import { type Test, test } from 'tap'
import { parseRedisUrl } from '../../../src/config/redis-url.ts'
import { openRootSecrets } from '../../../src/secrets/root-secret.ts'
import { logIn, startApp, type TestApp, type TokenAnswer } from '../../support/app.ts'
import { startRedis } from '../../support/redis.ts'
import { ROOT_SECRET, rootSecretOf } from '../../support/root-secrets.ts'

const REFUSAL = {
  error: 'invalid_grant',
  error_description: 'The refresh token is invalid, expired or revoked.',
}

async function openScene(t: Test) {
  const app = await startApp(t)
  const client = await app.makeClient({ scopes: ['read', 'write'], defaultScopes: ['read'] })
  const user = await app.makeUser()
  return { app, client, user }
}

function refresh(app: TestApp, clientId: string, token: string, extra = {}) {
  return app.form('/token', {
    grant_type: 'refresh_token',
    client_id: clientId,
    refresh_token: token,
    ...extra,
  })
}

test('rotates: a new pair, the same session (RFC 6749 §6, C52)', async (t) => {
  const { app, client, user } = await openScene(t)
  const first = await logIn(app, client, user)
  const askedMs = Date.now()
  const answer = await refresh(app, client.id, first.refresh_token)
  const answeredMs = Date.now()
  t.equal(answer.status, 200)
  t.equal(answer.headers.get('cache-control'), 'no-store', '(C11)')
  t.equal(answer.headers.get('pragma'), 'no-cache', '(C11)')
  t.match(answer.headers.get('content-type'), /^application\/json/, '(C10)')
  const second = (await answer.json()) as TokenAnswer
  t.not(second.refresh_token, first.refresh_token)
  t.match(second.refresh_token, /^lrt_[\w-]{94}$/)
  const [before, after] = [decodeJwt(first.access_token), decodeJwt(second.access_token)]
  t.equal(after.sid, before.sid)
  t.equal(after.auth_time, before.auth_time, '(C68)')
  t.strictSame([before.amr, after.amr], [['pwd'], ['pwd']], 'RFC 8176')
  const leftAt = (ms: number) => Number(after.exp) - Math.floor(ms / 1000)
  t.ok(second.expires_in <= leftAt(askedMs) && second.expires_in >= leftAt(answeredMs), '(C12)')
})

test('gives a lost answer again: the very same tokens (C60)', async (t) => {
  const { app, client, user } = await openScene(t)
  const { refresh_token: token } = await logIn(app, client, user)
  const one = (await (await refresh(app, client.id, token)).json()) as TokenAnswer
  const two = (await (await refresh(app, client.id, token)).json()) as TokenAnswer
  t.equal(two.refresh_token, one.refresh_token)
  t.strictSame(decodeJwt(two.access_token), decodeJwt(one.access_token))
  t.ok(app.log.some((line) => line.event === 'refresh.retried'))
})

test('tells of a lost answer that somebody else asks for', async (t) => {
  const { app, client, user } = await openScene(t)
  const { refresh_token: token } = await logIn(app, client, user)
  await refresh(app, client.id, token)
  const form = { grant_type: 'refresh_token', client_id: client.id, refresh_token: token }
  const retry = await app.form('/token', form, { 'user-agent': 'somebody else' })
  t.equal(retry.status, 200, 'it may be the owner, who has changed networks')
  t.match(
    app.log.find((line) => line.event === 'refresh.retried_elsewhere'),
    { level: 'warn', clientId: client.id, userAgent: 'somebody else' },
  )
  t.notOk(app.log.some((line) => line.event === 'refresh.retried'))
  const sessions = await app.admin('GET', `/admin/users/${user.id}/sessions`)
  t.match(await sessions.json(), { items: [{ retriedElsewhere: 1, status: 'active' }] })
})

test('ends the family when an old token comes back (RFC 9700 §4.14.2, C53)', async (t) => {
  const { app, client, user } = await openScene(t)
  const { refresh_token: zero } = await logIn(app, client, user)
  const one = (await (await refresh(app, client.id, zero)).json()) as TokenAnswer
  const two = (await (await refresh(app, client.id, one.refresh_token)).json()) as TokenAnswer
  const replay = await refresh(app, client.id, zero)
  t.equal(replay.status, 400)
  t.strictSame(await replay.json(), REFUSAL)
  t.ok(app.log.some((line) => line.event === 'refresh.reuse_detected'))
  const newest = await refresh(app, client.id, two.refresh_token)
  t.equal(newest.status, 400)
  t.strictSame(await newest.json(), REFUSAL)
  t.ok(app.log.some((line) => line.reason === 'refresh_family_ended'))
})

test('an old token that asks for more is no less a replay (C53)', async (t) => {
  const { app, client, user } = await openScene(t)
  const { refresh_token: zero } = await logIn(app, client, user)
  const one = (await (await refresh(app, client.id, zero)).json()) as TokenAnswer
  const two = (await (await refresh(app, client.id, one.refresh_token)).json()) as TokenAnswer
  const replay = await refresh(app, client.id, zero, { scope: 'read write admin' })
  t.equal(replay.status, 400)
  t.strictSame(await replay.json(), REFUSAL)
  t.ok(app.log.some((line) => line.event === 'refresh.reuse_detected'))
  t.equal((await refresh(app, client.id, two.refresh_token)).status, 400)
})

for (const store of ['postgresql', 'redis']) {
  test(`what cannot be read is judged after the token: a replay is one, and a live token lives (${store})`, async (t) => {
    const redis = store === 'redis' ? parseRedisUrl((await startRedis(t)).url) : undefined
    const app = await startApp(t, { config: { redis } })
    const client = await app.makeClient({ refreshGraceSeconds: 0 })
    const user = await app.makeUser()
    const requests: Record<string, object> = {
      invalid_scope: { scope: 'a"b' },
      invalid_target: { resource: 'not a uri' },
    }
    for (const [error, extra] of Object.entries(requests)) {
      const first = await logIn(app, client, user)
      const unread = await refresh(app, client.id, first.refresh_token, extra)
      t.match(await unread.json(), { error })
      const rotated = await refresh(app, client.id, first.refresh_token)
      t.equal(rotated.status, 200, 'the token was not used')
      const { refresh_token: second } = (await rotated.json()) as TokenAnswer
      const replay = await refresh(app, client.id, first.refresh_token, extra)
      t.strictSame(await replay.json(), REFUSAL)
      t.strictSame(await (await refresh(app, client.id, second)).json(), REFUSAL)
      const other = await refresh(app, client.id, 'lrt_x', extra)
      t.strictSame(await other.json(), REFUSAL, 'no token at all')
    }
    t.equal(app.log.filter(({ event }) => event === 'refresh.reuse_detected').length, 2)
  })
}

test('a retry across a rollover of the root secret is the same access token', async (t) => {
  const fresh = rootSecretOf(1)
  const rootSecrets = openRootSecrets([ROOT_SECRET, fresh])
  const app = await startApp(t, { config: { rootSecrets } })
  const rolled = openRootSecrets([fresh, ROOT_SECRET])
  const other = await startApp(t, { beside: app, config: { rootSecrets: rolled } })
  const client = await app.makeClient({})
  const user = await app.makeUser()
  const { refresh_token: token } = await logIn(app, client, user)
  const one = (await (await refresh(app, client.id, token)).json()) as TokenAnswer
  const two = (await (await refresh(other, client.id, token)).json()) as TokenAnswer
  t.strictSame(decodeJwt(two.access_token), decodeJwt(one.access_token))

  await other.form('/revoke', { client_id: client.id, token: one.access_token })
  const verified = await other.fetch('/verify', {
    headers: { authorization: `Bearer ${two.access_token}` },
  })
  t.equal(verified.status, 401, 'there is no twin that outlives a revocation')
  const three = await refresh(app, client.id, two.refresh_token)
  t.equal(three.status, 200, 'the successor is of the new secret, which both know')
})

test('refuses a token of another client and leaves it untouched (RFC 6749 §6, C49)', async (t) => {
  const { app, client, user } = await openScene(t)
  const other = await app.makeClient({})
  const { refresh_token: token } = await logIn(app, client, user)
  const stolen = await refresh(app, other.id, token)
  t.strictSame(await stolen.json(), REFUSAL)
  t.ok(app.log.some((line) => line.reason === 'refresh_family_of_other_client'))
  t.equal((await refresh(app, client.id, token)).status, 200)
})

test('keeps the granted scope when one token is narrower (C51)', async (t) => {
  const { app, client, user } = await openScene(t)
  const login = await logIn(app, client, user, { scope: 'read write' })
  t.equal(login.scope, 'read write')
  const narrow = (await (
    await refresh(app, client.id, login.refresh_token, { scope: 'write' })
  ).json()) as TokenAnswer
  t.equal(narrow.scope, 'write')
  const wide = (await (await refresh(app, client.id, narrow.refresh_token)).json()) as TokenAnswer
  t.equal(wide.scope, 'read write')
})

test('refuses a wider scope, and the token still works after (C21)', async (t) => {
  const { app, client, user } = await openScene(t)
  const { refresh_token: token } = await logIn(app, client, user)
  const wider = await refresh(app, client.id, token, { scope: 'read write' })
  t.equal(wider.status, 400)
  t.match(await wider.json(), { error: 'invalid_scope' })
  t.equal((await refresh(app, client.id, token)).status, 200)
})
