// A user with an authenticator: the codes come from another implementation, and time is stepped, so that
// each code is of a step that was not used before.

import { URI } from 'otpauth'
import type { Test } from 'tap'
import { logIn, type StartAppOptions, startApp, type TestApp } from '../support/app.ts'

export const MFA_OTP = 'urn:lineage:params:oauth:grant-type:mfa-otp'
export const STEP_MS = 30_000

export interface SteppedApp extends TestApp {
  /** Lets time pass on every instance of the scene. */
  pass(ms: number): void
  nowMs(): number
  /** Another instance on the same database and clock. */
  another(t: Test, options?: StartAppOptions): Promise<TestApp>
}

export async function startSteppedApp(t: Test, options: StartAppOptions = {}): Promise<SteppedApp> {
  let nowMs = Date.now()
  const clock = () => nowMs
  const app = await startApp(t, { ...options, clock })
  return {
    ...app,
    pass(ms) {
      nowMs += ms
    },
    nowMs: () => nowMs,
    another: (test, more = {}) => startApp(test, { ...more, clock, beside: app }),
  }
}

/** Sends JSON to one's own account. */
export async function asUser(
  app: Pick<TestApp, 'fetch'>,
  token: string,
  method: string,
  path: string,
  body?: unknown,
): Promise<Response> {
  const json = body !== undefined && { 'content-type': 'application/json' }
  return await app.fetch(`/users/me/${path}`, {
    method,
    headers: { authorization: `Bearer ${token}`, ...json },
    ...(body !== undefined && { body: JSON.stringify(body) }),
  })
}

export interface Authenticator {
  readonly id: string
  /** The code that it shows at a moment. */
  code(atMs: number): string
}

export interface Enrolled {
  readonly authenticator: Authenticator
  readonly recoveryCodes: readonly string[]
  /** Of the session that enrolled, which goes on. */
  readonly token: string
  readonly refreshToken: string
}

/** What the service shows of a new factor, as an authenticator reads its QR code. */
export function readAuthenticator(factor: { id: string; otpauthUri: string }): Authenticator {
  const totp = URI.parse(factor.otpauthUri)
  if (!('period' in totp)) throw new Error('it counts and does not look at the clock')
  return { id: factor.id, code: (timestamp) => totp.generate({ timestamp }) }
}

/** Gives the user a factor, and lets its step pass. */
export async function enroll(
  app: SteppedApp,
  client: { id: string },
  user: { username: string; password: string },
): Promise<Enrolled> {
  const { access_token: token, refresh_token: refreshToken } = await logIn(app, client, user)
  const made = await asUser(app, token, 'POST', 'factors', { type: 'totp' })
  const authenticator = readAuthenticator((await made.json()) as { id: string; otpauthUri: string })
  const code = authenticator.code(app.nowMs())
  const answer = await asUser(app, token, 'POST', `factors/${authenticator.id}/activate`, { code })
  const { recoveryCodes } = (await answer.json()) as { recoveryCodes: string[] }
  if (answer.status !== 200) throw new Error(`not activated: ${answer.status}`)
  app.pass(STEP_MS)
  return { authenticator, recoveryCodes, token, refreshToken }
}

export interface MfaRequired {
  readonly error: string
  readonly error_description: string
  readonly mfa_token: string
  readonly mfa_types: readonly string[]
}

/** The first step of a login. */
export async function beginLogin(
  app: Pick<TestApp, 'form'>,
  client: { id: string },
  user: { username: string; password: string },
  extra: Record<string, string> = {},
): Promise<MfaRequired> {
  const answer = await app.form('/token', {
    grant_type: 'password',
    client_id: client.id,
    username: user.username,
    password: user.password,
    ...extra,
  })
  const body = (await answer.json()) as MfaRequired
  if (answer.status !== 400 || body.error !== 'mfa_required') {
    throw new Error(`no second step is asked for: ${answer.status} ${body.error}`)
  }
  return body
}

/** The second step. */
export function endLogin(
  app: Pick<TestApp, 'form'>,
  client: { id: string },
  mfaToken: string,
  proof: { otp: string } | { recovery_code: string },
): Promise<Response> {
  const step = { grant_type: MFA_OTP, client_id: client.id, mfa_token: mfaToken }
  return app.form('/token', { ...step, ...proof })
}

/** What the second step answers to whatever it refuses. */
export const SECOND_STEP_REFUSED = {
  error: 'invalid_grant',
  error_description: 'The code is not right, or the login has to begin anew.',
}

/** A service with somebody who has an authenticator, and a client to log in at. */
export async function openFactorScene(t: Test, options: StartAppOptions = {}) {
  const app = await startSteppedApp(t, options)
  const client = await app.makeClient({ id: 'web', scopes: ['a', 'b'], defaultScopes: ['a', 'b'] })
  const user = await app.makeUser()
  return { app, client, user, ...(await enroll(app, client, user)) }
}
