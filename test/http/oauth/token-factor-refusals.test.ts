// What the second step of a login refuses, to whom, and how often.

import { test } from 'tap'
import type { UserId } from '../../../src/users/user.ts'
import {
  beginLogin,
  endLogin,
  MFA_OTP,
  openFactorScene,
  readAuthenticator,
  SECOND_STEP_REFUSED,
  STEP_MS,
  startSteppedApp,
} from '../../scenes/factor-scene.ts'
import { query } from '../../scenes/recovery-scene.ts'

test('every refusal of the second step has the same bytes; the log has the reason', async (t) => {
  const { app, client, user, authenticator, recoveryCodes } = await openFactorScene(t)
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
    [SECOND_STEP_REFUSED],
  )
})

test('guessing codes is bounded over all tokens and instances, and ends no session', async (t) => {
  const { app, client, user, authenticator, recoveryCodes, refreshToken } = await openFactorScene(t)
  const other = await app.another(t)
  for (let i = 0; i < 10; i += 1) {
    const [begun, ended] = i % 2 === 0 ? [app, other] : [other, app]
    const { mfa_token: step } = await beginLogin(begun, client, user)
    const wrong = i < 5 ? { otp: '000' } : { recovery_code: '0000-0000-0000-0000' }
    t.equal((await endLogin(ended, client, step, wrong)).status, 400)
  }
  const { mfa_token: step } = await beginLogin(app, client, user)
  for (const one of [app, other]) {
    const right = { otp: authenticator.code(app.nowMs()) }
    for (const proof of [right, { recovery_code: recoveryCodes[0] ?? '' }]) {
      const answer = await endLogin(one, client, step, proof)
      t.equal(answer.status, 429)
      t.ok(Number(answer.headers.get('retry-after')) > 0)
      t.match(await answer.json(), { error: 'temporarily_unavailable' })
    }
  }
  const grant = { grant_type: 'refresh_token', client_id: client.id, refresh_token: refreshToken }
  t.equal((await app.form('/token', grant)).status, 200)
  app.pass(15 * 60_000)
  const { mfa_token: later } = await beginLogin(app, client, user)
  const answer = await endLogin(app, client, later, { otp: authenticator.code(app.nowMs()) })
  t.equal(answer.status, 200)
})

test('the password alone makes no source known; the whole login does', async (t) => {
  const app = await startSteppedApp(t)
  const client = await app.makeClient({ id: 'web' })
  const user = await app.makeUser()
  const { factors } = app.service.management
  const owner = { userId: user.id as UserId }
  const made = await factors.create(owner, undefined)
  const authenticator = readAuthenticator(made)
  await factors.activate(owner, made.id, authenticator.code(app.nowMs()), {})
  app.pass(STEP_MS)

  const countKnown = async () => (await query(app.databaseUrl, 'TABLE throttle_counters')).length
  const { mfa_token: step } = await beginLogin(app, client, user)
  t.equal(await countKnown(), 0)
  await endLogin(app, client, step, { otp: authenticator.code(app.nowMs()) })
  t.equal(await countKnown(), 3, 'for codes, and for both names of the user')
})

test('the token and exactly one of two codes are needed, and none in a URL', async (t) => {
  const { app, client } = await openFactorScene(t)
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
  const { app, user } = await openFactorScene(t)
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

test('what the client may not address any more is not granted by the second step', async (t) => {
  const { app, client, user, authenticator } = await openFactorScene(t)
  const { mfa_token: token } = await beginLogin(app, client, user)
  const audiences = ['https://other.example.test']
  t.equal((await app.admin('PATCH', `/admin/clients/${client.id}`, { audiences })).status, 200)
  const answer = await endLogin(app, client, token, { otp: authenticator.code(app.nowMs()) })
  t.equal(answer.status, 400)
  t.match(await answer.json(), { error: 'invalid_target' })
})
