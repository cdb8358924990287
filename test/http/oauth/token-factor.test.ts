// Logins in two steps (C45): what the password grant answers to whom, and what the second step takes,
// once, on whichever instance.

import { decodeJwt } from 'jose'
import { type Test, test } from 'tap'
import { parseRedisUrl } from '../../../src/config/redis-url.ts'
import {
  asUser,
  beginLogin,
  endLogin,
  MFA_OTP,
  openFactorScene,
  SECOND_STEP_REFUSED,
  STEP_MS,
} from '../../scenes/factor-scene.ts'
import { logIn, type TokenAnswer } from '../../support/app.ts'
import { startRedis } from '../../support/redis.ts'

test('a login with a factor takes two steps, and its tokens say so over refreshes', async (t) => {
  await checkTwoSteps(t, await openFactorScene(t))
})

test('the same with families in Redis', async (t) => {
  const redis = parseRedisUrl((await startRedis(t)).url)
  await checkTwoSteps(t, await openFactorScene(t, { config: { redis } }))
})

async function checkTwoSteps(t: Test, scene: Awaited<ReturnType<typeof openFactorScene>>) {
  const { app, client, user, authenticator } = scene
  const step = await beginLogin(app, client, user, { scope: 'b' })
  t.strictSame(Object.keys(step), ['error', 'error_description', 'mfa_token', 'mfa_types'])
  t.strictSame(step.mfa_types, ['totp', 'recovery_code'])
  const answer = await endLogin(app, client, step.mfa_token, {
    otp: authenticator.code(app.nowMs()),
  })
  t.equal(answer.status, 200)
  t.equal(answer.headers.get('cache-control'), 'no-store')
  let tokens = (await answer.json()) as TokenAnswer
  t.equal(tokens.scope, 'b', 'as the first step asked')
  const first = decodeJwt(tokens.access_token)
  t.strictSame(first.amr, ['pwd', 'otp'])
  t.equal(first.auth_time, Math.floor(app.nowMs() / 1000))
  for (let i = 0; i < 2; i += 1) {
    app.pass(60_000)
    const refreshed = await app.form('/token', {
      grant_type: 'refresh_token',
      client_id: client.id,
      refresh_token: tokens.refresh_token,
    })
    tokens = (await refreshed.json()) as TokenAnswer
    const claims = decodeJwt(tokens.access_token)
    t.strictSame([claims.amr, claims.auth_time], [first.amr, first.auth_time], '(C68)')
  }
  const login = app.log.findLast((line) => line.event === 'login.succeeded')
  t.match(login, { subject: user.id, detail: { amr: ['pwd', 'otp'] } })
}

test('the password grant gives such a user no tokens, and a wrong password tells nothing', async (t) => {
  const { app, client, user } = await openFactorScene(t)
  const stranger = await app.makeUser()
  const bodies = []
  for (const { username } of [user, stranger, { username: 'nobody' }]) {
    const answer = await app.form('/token', {
      grant_type: 'password',
      client_id: client.id,
      username,
      password: 'a wrong password',
    })
    t.equal(answer.status, 400)
    bodies.push(await answer.text())
  }
  t.equal(new Set(bodies).size, 1)
  t.match(bodies[0], /invalid_grant/)
  t.strictSame(decodeJwt((await logIn(app, client, stranger)).access_token).amr, ['pwd'])
})

test('a code works once, also on two instances at the same time', async (t) => {
  const { app, client, user, authenticator } = await openFactorScene(t)
  const other = await app.another(t)
  const otp = authenticator.code(app.nowMs())
  const tokens = await Promise.all(
    [app, other, app, other].map(async (one) => (await beginLogin(one, client, user)).mfa_token),
  )
  const answers = await Promise.all(
    tokens.map((token, i) => endLogin(i % 2 === 0 ? app : other, client, token, { otp })),
  )
  t.strictSame(answers.map(({ status }) => status).sort(), [200, 400, 400, 400])
  for (const answer of answers.filter(({ status }) => status === 400)) {
    t.strictSame(await answer.json(), SECOND_STEP_REFUSED)
  }
  const reasons = [...app.log, ...other.log].filter((line) => line.reason === 'mfa_code_used')
  t.ok(reasons.length >= 3)
  const again = await endLogin(other, client, (await beginLogin(app, client, user)).mfa_token, {
    otp,
  })
  t.strictSame(await again.json(), SECOND_STEP_REFUSED, 'later on another instance')
})

test('the token of the first step succeeds once, also on two instances at the same time', async (t) => {
  const { app, client, user, recoveryCodes } = await openFactorScene(t)
  const other = await app.another(t)
  const { mfa_token: token } = await beginLogin(app, client, user)
  const answers = await Promise.all(
    recoveryCodes
      .slice(0, 4)
      .map((code, i) =>
        endLogin(i % 2 === 0 ? app : other, client, token, { recovery_code: code }),
      ),
  )
  t.strictSame(answers.map(({ status }) => status).sort(), [200, 400, 400, 400])
  const [, , , , fifth = ''] = recoveryCodes
  t.equal((await endLogin(app, client, token, { recovery_code: fifth })).status, 400)
  const { mfa_token: next } = await beginLogin(app, client, user)
  t.equal((await endLogin(app, client, next, { recovery_code: fifth })).status, 200, 'unused')
})

test('a recovery code works once, however it is typed, and is an event', async (t) => {
  const { app, client, user, recoveryCodes } = await openFactorScene(t)
  const [first = ''] = recoveryCodes
  const typed = first.toUpperCase().replaceAll('-', ' ').replaceAll('0', 'O').replaceAll('1', 'l')
  const begin = async () => (await beginLogin(app, client, user)).mfa_token
  const answer = await endLogin(app, client, await begin(), { recovery_code: typed })
  t.equal(answer.status, 200)
  const { access_token: token } = (await answer.json()) as TokenAnswer
  t.strictSame(decodeJwt(token).amr, ['pwd', 'otp'])
  const used = app.log.findLast((line) => line.event === 'user.factor_used_recovery')
  t.match(used, { subject: user.id, clientId: client.id, detail: { left: 9 } })
  const again = await endLogin(app, client, await begin(), { recovery_code: first })
  t.strictSame(await again.json(), SECOND_STEP_REFUSED)
})

test('codes of the step before and after are good, others not (RFC 6238 §5.2)', async (t) => {
  const { app, client, user, authenticator } = await openFactorScene(t)
  const tryAt = async (awayMs: number) => {
    const { mfa_token: token } = await beginLogin(app, client, user)
    const otp = authenticator.code(app.nowMs() + awayMs)
    return (await endLogin(app, client, token, { otp })).status
  }
  app.pass(10 * STEP_MS)
  const statuses = []
  for (const steps of [-2, 2, -1, 0, 1]) statuses.push(await tryAt(steps * STEP_MS))
  t.strictSame(statuses, [400, 400, 200, 200, 200])
})

test('a client whose tokens travel in cookies logs in the same way', async (t) => {
  const { app, user, authenticator } = await openFactorScene(t)
  const origin = 'https://app.example.test'
  const browser = await app.makeClient({
    id: 'browser',
    tokenDelivery: 'cookie',
    allowedOrigins: [origin],
  })
  const begun = await app.form(
    '/token',
    { grant_type: 'password', client_id: browser.id, ...user },
    { origin },
  )
  const { mfa_token: token = '', error } = (await begun.json()) as Record<string, string>
  t.equal(error, 'mfa_required')
  t.equal(begun.headers.get('set-cookie'), null)
  const step = { grant_type: MFA_OTP, client_id: browser.id, mfa_token: token }
  const otp = authenticator.code(app.nowMs())
  t.equal((await app.form('/token', { ...step, otp })).status, 400, 'not without an origin')
  const answer = await app.form('/token', { ...step, otp }, { origin })
  t.equal(answer.status, 200)
  t.match(answer.headers.get('set-cookie'), /^__Host-lineage_refresh-browser=lrt_/)
  t.notOk('refresh_token' in ((await answer.json()) as object))
})

test('without factors again, the password is enough again', async (t) => {
  const { app, client, user, authenticator, token } = await openFactorScene(t)
  const removed = await asUser(app, token, 'DELETE', `factors/${authenticator.id}`)
  t.equal(removed.status, 204)
  t.strictSame(decodeJwt((await logIn(app, client, user)).access_token).amr, ['pwd'])
})
