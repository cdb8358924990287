// /users/me/factors and /users/me/recovery-codes, and what administrators do about them.

import { decodeJwt } from 'jose'
import { test } from 'tap'
import {
  asUser,
  beginLogin,
  endLogin,
  enroll,
  readAuthenticator,
  STEP_MS,
  startSteppedApp,
} from '../../scenes/factor-scene.ts'
import { query } from '../../scenes/recovery-scene.ts'
import { logIn, type TestApp } from '../../support/app.ts'

async function openScene(t: Parameters<typeof startSteppedApp>[0]) {
  const app = await startSteppedApp(t)
  const client = await app.makeClient({ id: 'web' })
  const user = await app.makeUser()
  const tokens = await logIn(app, client, user)
  return { app, client, user, token: tokens.access_token, refreshToken: tokens.refresh_token }
}

async function isAlive(app: TestApp, client: { id: string }, refreshToken: string) {
  const grant = { grant_type: 'refresh_token', client_id: client.id, refresh_token: refreshToken }
  return (await app.form('/token', grant)).status === 200
}

const read = async (answer: Response) => (await answer.json()) as Record<string, unknown>

test('wrong codes at an activation are held up, and take nothing from the logins', async (t) => {
  const { app, client, user, token } = await openScene(t)
  const made = await asUser(app, token, 'POST', 'factors', { type: 'totp' })
  const factor = (await made.json()) as { id: string; secret: string; otpauthUri: string }
  const activate = (code: string) =>
    asUser(app, token, 'POST', `factors/${factor.id}/activate`, { code })
  for (let n = 0; n < 10; n += 1) t.equal((await activate('0')).status, 403)
  const { code } = readAuthenticator(factor)
  const held = await activate(code(app.nowMs()))
  t.equal(held.status, 429)
  t.equal(held.headers.get('retry-after'), '900')
  t.equal((await logIn(app, client, user)).token_type, 'Bearer')
})

test('a factor is pending until it shows a code; the first one brings recovery codes', async (t) => {
  const { app, client, user, token, refreshToken } = await openScene(t)
  const other = await logIn(app, client, user)
  const made = await asUser(app, token, 'POST', 'factors', { type: 'totp', name: 'My phone' })
  t.equal(made.status, 201)
  const factor = (await made.json()) as { id: string; otpauthUri: string; secret: string }
  t.equal(made.headers.get('location'), `/users/me/factors/${factor.id}`)
  const createdAt = new Date(app.nowMs()).toISOString()
  const shown = { id: factor.id, type: 'totp', name: 'My phone', createdAt }
  t.strictSame(factor, {
    ...shown,
    status: 'pending',
    secret: factor.secret,
    otpauthUri: factor.otpauthUri,
  })
  t.match(factor.secret, /^[A-Z2-7]{32}$/)
  t.match(factor.otpauthUri, `otpauth://totp/auth.example.test:${user.username}?secret=`)
  t.equal((await logIn(app, client, user)).token_type, 'Bearer', 'pending ones are not asked for')

  const path = `factors/${factor.id}/activate`
  const wrong = await asUser(app, token, 'POST', path, { code: '0' })
  t.match(await read(wrong), { status: 403, code: 'invalid_one_time_code' })
  t.ok(await isAlive(app, client, other.refresh_token))
  const { code } = readAuthenticator(factor)
  const activated = await asUser(app, token, 'POST', path, { code: code(app.nowMs()) })
  t.equal(activated.status, 200)
  const { recoveryCodes, ...active } = await read(activated)
  const known = { ...shown, status: 'active', activatedAt: createdAt }
  t.strictSame(active, known)
  t.equal(new Set(recoveryCodes as string[]).size, 10)
  for (const one of recoveryCodes as string[]) t.match(one, /^([0-9a-hjkmnp-tv-z]{4}-?){4}$/)
  t.strictSame(await read(await asUser(app, token, 'GET', 'factors')), {
    items: [known],
    nextCursor: null,
  })
  t.notOk(await isAlive(app, client, other.refresh_token), 'every other session has ended')
  t.ok(await isAlive(app, client, refreshToken), 'this one goes on')
  const added = app.log.findLast((line) => line.event === 'user.factor_added')
  const { sid } = decodeJwt(token)
  t.match(added, { subject: user.id, sessionId: sid, detail: { factorId: factor.id } })
  const again = await asUser(app, token, 'POST', path, { code: code(app.nowMs() + STEP_MS) })
  t.match(await read(again), { status: 409, code: 'conflict' })
})

test('the code of the activation is used up', async (t) => {
  const { app, client, user, token } = await openScene(t)
  const made = await asUser(app, token, 'POST', 'factors', { type: 'totp' })
  const authenticator = readAuthenticator((await made.json()) as { id: string; otpauthUri: string })
  const code = authenticator.code(app.nowMs())
  await asUser(app, token, 'POST', `factors/${authenticator.id}/activate`, { code })
  const { mfa_token: step } = await beginLogin(app, client, user)
  t.equal((await endLogin(app, client, step, { otp: code })).status, 400)
})

test('two at the same time activate one factor once', async (t) => {
  const { app, token } = await openScene(t)
  const other = await app.another(t)
  const made = await asUser(app, token, 'POST', 'factors', { type: 'totp' })
  const { id, code } = readAuthenticator((await made.json()) as { id: string; otpauthUri: string })
  const body = { code: code(app.nowMs()) }
  const answers = await Promise.all(
    [app, other, app].map((one) => asUser(one, token, 'POST', `factors/${id}/activate`, body)),
  )
  t.strictSame(answers.map(({ status }) => status).sort(), [200, 409, 409])
})

test('all of it wants a login of the last five minutes (RFC 9470)', async (t) => {
  const { app, token } = await openScene(t)
  const id = '00000000-0000-4000-8000-000000000000'
  const calls = [
    ['GET', 'factors'],
    ['POST', 'factors', { type: 'totp' }],
    ['POST', `factors/${id}/activate`, { code: '123456' }],
    ['DELETE', `factors/${id}`],
    ['POST', 'recovery-codes'],
  ] as const
  app.pass(299_000)
  const statuses = []
  for (const [method, path, body] of calls) {
    statuses.push((await asUser(app, token, method, path, body)).status)
  }
  t.strictSame(statuses, [200, 201, 404, 204, 409])
  app.pass(2_000)
  for (const [method, path, body] of calls) {
    const answer = await asUser(app, token, method, path, body)
    t.match(await read(answer), { status: 403, code: 'recent_login_required' }, method)
    t.equal(
      answer.headers.get('www-authenticate'),
      'Bearer error="insufficient_user_authentication", max_age="300"',
    )
    t.equal((await asUser(app, 'no token', method, path, body)).status, 401)
  }
})

test('bad names and types are refused, and at most five are kept', async (t) => {
  const { app, token } = await openScene(t)
  const make = (body: object) => asUser(app, token, 'POST', 'factors', body)
  for (const name of ['', ' ', 'a\u0000b', 'x'.repeat(65)]) {
    const answer = await make({ type: 'totp', name })
    t.match(await read(answer), { status: 422, errors: [{ pointer: '/name' }] })
  }
  for (const body of [{}, { type: 'sms' }, { type: 'totp', secret: 'mine' }]) {
    t.equal((await make(body)).status, 422)
  }
  const answers = await Promise.all(Array.from({ length: 7 }, () => make({ type: 'totp' })))
  t.equal(answers.filter(({ status }) => status === 201).length, 5)
  const refused = answers.find(({ status }) => status === 409)
  t.match(refused && (await read(refused)), { code: 'conflict', detail: /at most 5/ })
  const page = await read(await asUser(app, token, 'GET', 'factors?limit=2'))
  t.match(page, { items: { length: 2 }, nextCursor: String })
  t.equal((await asUser(app, token, 'GET', 'factors?cursor=x')).status, 400)
})

test('a pending factor is gone after an hour', async (t) => {
  const { app, client, user, token } = await openScene(t)
  const made = await asUser(app, token, 'POST', 'factors', { type: 'totp' })
  const { id, code } = readAuthenticator((await made.json()) as { id: string; otpauthUri: string })
  app.pass(60 * 60_000)
  const { access_token: fresh } = await logIn(app, client, user)
  t.strictSame(await read(await asUser(app, fresh, 'GET', 'factors')), {
    items: [],
    nextCursor: null,
  })
  const body = { code: code(app.nowMs()) }
  t.equal((await asUser(app, fresh, 'POST', `factors/${id}/activate`, body)).status, 404)
})

test('new recovery codes void the old ones and end the other sessions', async (t) => {
  const { app, client, user } = await openScene(t)
  const { token, refreshToken, authenticator, recoveryCodes } = await enroll(app, client, user)
  const answer = await asUser(app, token, 'POST', 'recovery-codes')
  t.equal(answer.status, 200)
  const { recoveryCodes: renewed } = (await answer.json()) as { recoveryCodes: string[] }
  t.equal(new Set([...recoveryCodes, ...renewed]).size, 20)
  t.ok(await isAlive(app, client, refreshToken))
  const attempt = async (proof: Parameters<typeof endLogin>[3]) => {
    const { mfa_token: step } = await beginLogin(app, client, user)
    return (await endLogin(app, client, step, proof)).status
  }
  t.equal(await attempt({ recovery_code: recoveryCodes[0] ?? '' }), 400)
  t.equal(await attempt({ recovery_code: renewed[0] ?? '' }), 200)
  t.equal(await attempt({ otp: authenticator.code(app.nowMs()) }), 200)
  const told = app.log.findLast((line) => line.event === 'user.updated')
  t.match(told, { subject: user.id, detail: { changed: ['recoveryCodes'] } })
})

test('each of several factors is taken; without the last one the codes are void', async (t) => {
  const { app, client, user } = await openScene(t)
  const { token, authenticator, recoveryCodes } = await enroll(app, client, user)
  const made = await asUser(app, token, 'POST', 'factors', { type: 'totp' })
  const second = readAuthenticator((await made.json()) as { id: string; otpauthUri: string })
  const activated = await asUser(app, token, 'POST', `factors/${second.id}/activate`, {
    code: second.code(app.nowMs()),
  })
  t.notOk('recoveryCodes' in (await read(activated)), 'only the first one brings codes')
  app.pass(STEP_MS)
  for (const { code } of [authenticator, second]) {
    const { mfa_token: step } = await beginLogin(app, client, user)
    const answer = await endLogin(app, client, step, { otp: code(app.nowMs()) })
    t.equal(answer.status, 200)
  }
  const { mfa_token: begun } = await beginLogin(app, client, user)
  t.equal((await asUser(app, token, 'DELETE', `factors/${authenticator.id}`)).status, 204)
  const removed = app.log.findLast((line) => line.event === 'user.factor_removed')
  t.match(removed, { subject: user.id, detail: { factorId: authenticator.id } })
  t.equal((await endLogin(app, client, begun, { otp: second.code(app.nowMs()) })).status, 400)
  const { mfa_token: step } = await beginLogin(app, client, user)
  const recovery = { recovery_code: recoveryCodes[0] ?? '' }
  t.equal((await endLogin(app, client, step, recovery)).status, 200, 'one factor is left')
  await asUser(app, token, 'DELETE', `factors/${second.id}`)
  t.equal((await asUser(app, token, 'DELETE', `factors/${second.id}`)).status, 204, 'repeated')
  await logIn(app, client, user)
  t.strictSame(await query(app.databaseUrl, 'SELECT * FROM recovery_codes'), [])
})

test("nobody sees or changes another user's factors", async (t) => {
  const { app, client, user, token } = await openScene(t)
  const stranger = await app.makeUser()
  const { authenticator } = await enroll(app, client, stranger)
  const { id } = authenticator
  const body = { code: authenticator.code(app.nowMs()) }
  t.equal((await asUser(app, token, 'POST', `factors/${id}/activate`, body)).status, 404)
  t.equal((await asUser(app, token, 'DELETE', `factors/${id}`)).status, 204, 'nothing is told')
  t.equal((await asUser(app, token, 'DELETE', 'factors/no-uuid')).status, 204)
  t.equal((await asUser(app, token, 'POST', 'factors/no-uuid/activate', body)).status, 404)
  await beginLogin(app, client, stranger)
  await logIn(app, client, user)
})

test('administrators see the factors of a user, and take them all away', async (t) => {
  const { app, client, user } = await openScene(t)
  const { authenticator, refreshToken } = await enroll(app, client, user)
  const path = `/admin/users/${user.id}/factors`
  const listed = await read(await app.admin('GET', path))
  t.match(listed, { items: [{ id: authenticator.id, status: 'active' }], nextCursor: null })
  t.notMatch(JSON.stringify(listed), /secret|otpauth/i)
  t.equal((await app.admin('GET', '/admin/users/nobody/factors')).status, 404)
  t.equal((await app.admin('DELETE', '/admin/users/nobody/factors')).status, 204)
  t.equal((await app.admin('DELETE', path)).status, 204)
  t.equal((await app.admin('DELETE', path)).status, 204)
  t.notOk(await isAlive(app, client, refreshToken), 'every session has ended')
  const removed = app.log.filter((line) => line.event === 'user.factor_removed')
  t.match(removed, [{ subject: user.id, detail: { by: 'bootstrap-admin' } }])
  t.equal(removed.length, 1)
  await logIn(app, client, user)
})

test('a deleted user leaves no secret and no code behind', async (t) => {
  const { app, client, user } = await openScene(t)
  const { token } = await enroll(app, client, user)
  await app.admin('DELETE', `/admin/users/${user.id}`)
  t.equal((await asUser(app, token, 'GET', 'factors')).status, 401)
  const left = 'SELECT user_id FROM factors UNION ALL SELECT user_id FROM recovery_codes'
  t.strictSame(await query(app.databaseUrl, left), [])
})
