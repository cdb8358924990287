// Logins in two steps (C45): what the password grant answers to whom, and what the second step takes,
// once, on whichever instance.

import { decodeJwt } from 'jose'
import { test } from 'tap'
import {
  asUser,
  beginLogin,
  endLogin,
  enroll,
  MFA_OTP,
  STEP_MS,
  startSteppedApp,
} from '../../scenes/factor-scene.ts'
import { logIn, type TokenAnswer } from '../../support/app.ts'

async function openScene(t: Parameters<typeof startSteppedApp>[0]) {
  const app = await startSteppedApp(t)
  const client = await app.makeClient({ id: 'web', scopes: ['a', 'b'], defaultScopes: ['a', 'b'] })
  const user = await app.makeUser()
  return { app, client, user, ...(await enroll(app, client, user)) }
}

const REFUSED = {
  error: 'invalid_grant',
  error_description: 'The code is not right, or the login has to begin anew.',
}

test('a login with a factor takes two steps, and its tokens say so over refreshes', async (t) => {
  const { app, client, user, authenticator } = await openScene(t)
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
})

test('the password grant gives such a user no tokens, and a wrong password tells nothing', async (t) => {
  const { app, client, user } = await openScene(t)
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
  const { app, client, user, authenticator } = await openScene(t)
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
    t.strictSame(await answer.json(), REFUSED)
  }
  const reasons = [...app.log, ...other.log].filter((line) => line.reason === 'mfa_code_used')
  t.ok(reasons.length >= 3)
  const again = await endLogin(other, client, (await beginLogin(app, client, user)).mfa_token, {
    otp,
  })
  t.strictSame(await again.json(), REFUSED, 'later on another instance')
})

test('the token of the first step succeeds once, also on two instances at the same time', async (t) => {
  const { app, client, user, recoveryCodes } = await openScene(t)
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
  const { app, client, user, recoveryCodes } = await openScene(t)
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
  t.strictSame(await again.json(), REFUSED)
})

test('codes of the step before and after are good, others not (RFC 6238 §5.2)', async (t) => {
  const { app, client, user, authenticator } = await openScene(t)
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

test('every refusal of the second step has the same bytes; the log has the reason', async (t) => {
  const { app, client, user, authenticator, recoveryCodes } = await openScene(t)
  const mobile = await app.makeClient({ id: 'mobile' })
  const bodies = new Set<string>()
  const refuse = async (
    reason: string,
    mfaToken: string,
    proof: { otp: string } | { recovery_code: string } = { otp: authenticator.code(app.nowMs()) },
    at = client,
  ) => {
    const answer = await endLogin(app, at, mfaToken, proof)
    t.equal(answer.status, 400, reason)
    bodies.add(await answer.text())
    const logged = app.log.findLast((line) => line.event === 'request.refused')
    t.equal(logged?.reason, reason)
  }
  const begin = async () => (await beginLogin(app, client, user)).mfa_token
  const token = await begin()
  await refuse('mfa_token_malformed', 'lmt_nothing')
  await refuse('mfa_token_malformed', `${token.slice(0, -1)}${token.endsWith('A') ? 'B' : 'A'}`)
  await refuse('mfa_token_malformed', `${token}=`)
  await refuse('mfa_token_of_other_client', token, undefined, mobile)
  await refuse('mfa_code_wrong', token, { otp: 'no digits' })
  await refuse('mfa_recovery_code_wrong', token, { recovery_code: 'no code' })
  await refuse('mfa_recovery_code_wrong', token, { recovery_code: '0000-0000-0000-0000' })
  const otp = authenticator.code(app.nowMs())
  t.equal((await endLogin(app, client, token, { otp })).status, 200, 'four wrong ones are forgiven')
  await refuse('mfa_token_used', token, { recovery_code: recoveryCodes[0] ?? '' })
  await refuse('mfa_code_used', await begin(), { otp })
  const guessed = await begin()
  for (let i = 0; i < 5; i += 1) await refuse('mfa_code_wrong', guessed, { otp: '0' })
  await refuse('mfa_token_exhausted', guessed, { recovery_code: recoveryCodes[0] ?? '' })
  const late = await begin()
  app.pass(5 * 60_000)
  await refuse('mfa_token_expired', late)
  const moved = await begin()
  await app.admin('DELETE', `/admin/users/${user.id}/sessions`)
  await refuse('mfa_user_moved', moved)
  const disabled = await begin()
  await app.admin('PATCH', `/admin/users/${user.id}`, { status: 'disabled' })
  await refuse('mfa_user_moved', disabled)
  t.strictSame(
    [...bodies].map((body) => JSON.parse(body)),
    [REFUSED],
  )
})

test('the token and exactly one of two codes are needed, and none in a URL', async (t) => {
  const { app, client } = await openScene(t)
  const send = (parameters: Record<string, string>, query = '') =>
    app.form(`/token${query}`, { grant_type: MFA_OTP, client_id: client.id, ...parameters })
  const missing = await send({ otp: '123456' })
  t.match(await missing.json(), { error: 'invalid_request', error_description: /mfa_token/ })
  for (const proof of [{}, { otp: '1', recovery_code: '2' }]) {
    const answer = await send({ mfa_token: 'lmt_x', ...proof })
    t.equal(answer.status, 400)
    t.match(await answer.json(), {
      error: 'invalid_request',
      error_description: /otp and recovery_code/,
    })
  }
  for (const name of ['mfa_token', 'otp', 'recovery_code']) {
    const answer = await send({}, `?${name}=x`)
    t.match(await answer.json(), { error: 'invalid_request', error_description: /query string/ })
  }
})

test('whoever may use the password grant may use the second step, and nobody else', async (t) => {
  const app = await startSteppedApp(t)
  const listed = async () => {
    const answer = await app.fetch('/.well-known/oauth-authorization-server')
    const { grant_types_supported: names } = (await answer.json()) as Record<string, string[]>
    return names?.includes(MFA_OTP)
  }
  const other = await app.makeClient({ id: 'other', grantTypes: ['refresh_token'] })
  t.equal(await listed(), false)
  const answer = await endLogin(app, other, 'lmt_x', { otp: '123456' })
  t.match(await answer.json(), { error: 'unauthorized_client' })
  const refused = await app.admin('POST', '/admin/clients', {
    name: 'x',
    type: 'public',
    grantTypes: [MFA_OTP],
  })
  t.equal(refused.status, 422, 'it comes with the password grant and is not listed')
  await app.makeClient({ id: 'web' })
  t.equal(await listed(), true)
})

test('a client with requireFactor refuses users without one, after the right password', async (t) => {
  const { app, user } = await openScene(t)
  const strict = await app.makeClient({ id: 'strict', requireFactor: true })
  const { mfa_token: token } = await beginLogin(app, strict, user)
  t.match(token, /^lmt_/)
  const bare = await app.makeUser()
  const attempt = (password: string) =>
    app.form('/token', {
      grant_type: 'password',
      client_id: strict.id,
      username: bare.username,
      password,
    })
  const answer = await attempt(bare.password)
  t.equal(answer.status, 400)
  t.strictSame(await answer.json(), {
    error: 'mfa_required',
    error_description: 'This application wants a second factor, which the account does not have.',
    mfa_types: [],
  })
  t.match(await (await attempt('a wrong one')).json(), { error: 'invalid_grant' })
  const failed = app.log.filter((line) => line.event === 'login.failed')
  t.ok(
    failed.some(({ reason, subject }) => reason === 'login_factor_missing' && subject === bare.id),
  )
})

test('a client whose tokens travel in cookies logs in the same way', async (t) => {
  const { app, user, authenticator } = await openScene(t)
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
  const { app, client, user, authenticator, token } = await openScene(t)
  const removed = await asUser(app, token, 'DELETE', `factors/${authenticator.id}`)
  t.equal(removed.status, 204)
  t.strictSame(decodeJwt((await logIn(app, client, user)).access_token).amr, ['pwd'])
})
