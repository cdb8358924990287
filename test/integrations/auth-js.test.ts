// Auth.js as an app that logs people in at Lineage: its own handler with real requests, its session
// cookie with our tokens in it. Its known race, requests that refresh at once with one cookie, and
// its other one, an answer whose cookie is lost, are what the grace is for.

import { once } from 'node:events'
import { type AddressInfo, createServer } from 'node:net'
import { decodeJwt } from 'jose'
import { type Test, test } from 'tap'
import { ROLES_MAX } from '../../src/users/user-roles.ts'
import { API, type Scene, startScene } from '../scenes/integration-scene.ts'
import { readEvents, waitForEvent } from '../support/audit.ts'
import { readTable } from '../support/documented.ts'
import { startSteppedDate } from '../support/stepped-date.ts'
import { until } from '../support/until.ts'
import { openAuthJsApp } from './auth-js-app.ts'
import { type Browser, openBrowser, VISITOR_IP } from './auth-js-browser.ts'
import { Auth } from './auth-js-core.ts'

const TTL_SECONDS = 600
const GRACE_SECONDS = 30

async function openScene(t: Test, input: { refreshGraceSeconds?: number; roles?: string[] } = {}) {
  const date = startSteppedDate(t)
  const scene = await startScene(t)
  const { roles = [], ...grace } = input
  const client = await scene.makeClient({
    type: 'confidential',
    audiences: [API],
    forwardsClientIp: true,
    ...grace,
  })
  const user = await scene.makeUser({ roles })
  const app = openAuthJsApp({ issuer: scene.issuer, client })
  return { date, scene, client, user, app, browser: openBrowser(app) }
}

/** The error of Lineage for a refresh token, where it has one. */
async function refresh(
  scene: Scene,
  client: { id: string; secret: string },
  tokens: { refresh_token: string } | null,
): Promise<string | undefined> {
  const answer = await scene.form('/token', {
    grant_type: 'refresh_token',
    client_id: client.id,
    client_secret: client.secret,
    refresh_token: tokens?.refresh_token,
  })
  return ((await answer.json()) as { error?: string }).error
}

/** Of an answer whose cookies a copy of the browser keeps. */
async function tokensOf(browser: Browser, answer: Response) {
  const other = browser.copy()
  other.take(answer)
  return await other.tokens()
}

/** The same app where Lineage does not answer. */
async function openLonelyApp(t: Test, client: { id: string; secret: string }) {
  const broken = createServer((socket) => socket.destroy()).listen(0, '127.0.0.1')
  await once(broken, 'listening')
  t.teardown(() => void broken.close())
  const issuer = `http://127.0.0.1:${(broken.address() as AddressInfo).port}`
  return openAuthJsApp({ issuer, client })
}

test('Auth.js: a right password is a session, a wrong one CredentialsSignin', async (t) => {
  const { scene, user, app, browser } = await openScene(t)
  const wrong = await browser.logIn({ ...user, password: 'wrong horse' })
  t.equal(
    `${wrong.pathname}${wrong.search}`,
    '/auth/signin?error=CredentialsSignin&code=credentials',
  )
  t.strictSame(browser.sessionCookies(), [])
  t.equal(await browser.session(), null)
  t.match(await waitForEvent(scene, 'login.failed'), { ip: VISITOR_IP })

  t.notOk((await browser.logIn(user)).searchParams.has('error'))
  t.match(await browser.session(), { user: { id: user.id, name: user.username } })
  t.notMatch(JSON.stringify(await browser.session()), /token/, 'no script sees one')
  const tokens = await browser.tokens()
  t.match(decodeJwt(tokens?.access_token ?? ''), { sub: user.id, aud: API })
  t.match(await waitForEvent(scene, 'login.succeeded'), { ip: VISITOR_IP })
  const [cookie, ...more] = browser.sessionCookies()
  t.ok((cookie?.value.length ?? 0) < 1600, `${cookie?.value.length} bytes`)
  t.strictSame(more, [])
  t.strictSame(app.errors, ['CredentialsSignin'])
  t.match(readTable('Programs').get('@auth/core'), { As: 'login and sessions of an app' })
})

test('Auth.js: a session rotates when its access token is due, and not before', async (t) => {
  const { date, scene, client, user, browser } = await openScene(t)
  await browser.logIn(user)
  const login = await browser.tokens()
  date.step(TTL_SECONDS / 2)
  await browser.session()
  t.strictSame((await browser.tokens())?.refresh_token, login?.refresh_token)
  date.step(TTL_SECONDS / 2)
  t.match(await browser.session(), { user: { id: user.id } })
  const next = await browser.tokens()
  t.not(next?.refresh_token, login?.refresh_token)
  t.not(next?.access_token, login?.access_token)
  t.equal(await refresh(scene, client, next), undefined, 'the new one is the good one')
})

test('Auth.js: requests that refresh at once with one cookie share one successor', async (t) => {
  const { date, scene, user, browser } = await openScene(t)
  await browser.logIn(user)
  date.step(TTL_SECONDS)
  const answers = await Promise.all([...'12345'].map(() => browser.send('/auth/session')))
  for (const answer of answers) t.match(await answer.clone().json(), { user: { id: user.id } })
  const tokens = await Promise.all(answers.map((answer) => tokensOf(browser, answer)))
  t.equal(new Set(tokens.map((pair) => pair?.refresh_token)).size, 1)
  t.equal(new Set(tokens.map((pair) => decodeJwt(pair?.access_token ?? '').jti)).size, 1)
  for (const answer of answers) browser.take(answer)
  date.step(TTL_SECONDS)
  t.match(await browser.session(), { user: { id: user.id } }, 'and rotates on')
  await until('four of five asked again', async () => {
    const [retried] = await readEvents(scene, '&type=refresh.retried')
    return retried?.detail?.count === 4
  })
  t.strictSame(await readEvents(scene, '&type=refresh.reuse_detected'), [])
  t.strictSame(await readEvents(scene, '&type=refresh.retried_elsewhere'), [])
})

test('Auth.js: with a grace of 0 the same race logs out', async (t) => {
  const { date, scene, user, browser } = await openScene(t, { refreshGraceSeconds: 0 })
  await browser.logIn(user)
  date.step(TTL_SECONDS)
  const answers = await Promise.all([...'12'].map(() => browser.send('/auth/session')))
  const bodies = await Promise.all(answers.map((answer) => answer.clone().json()))
  t.equal(bodies.filter((body) => body === null).length, 1)
  for (const answer of answers) browser.take(answer)
  date.step(TTL_SECONDS)
  t.equal(await browser.session(), null)
  t.ok(await waitForEvent(scene, 'refresh.reuse_detected'))
})

test('Auth.js: a lost cookie is healed within the grace, and ends the session after it', async (t) => {
  const { date, scene, user, browser } = await openScene(t)
  await browser.logIn(user)
  date.step(TTL_SECONDS)
  const lost = await tokensOf(browser, await browser.send('/auth/session'))
  date.step(GRACE_SECONDS - 1)
  t.match(await browser.session(), { user: { id: user.id } })
  t.equal((await browser.tokens())?.refresh_token, lost?.refresh_token)

  date.step(TTL_SECONDS)
  await browser.send('/auth/session')
  date.step(GRACE_SECONDS + 1)
  t.equal(await browser.session(), null)
  t.strictSame(browser.sessionCookies(), [])
  t.ok(await waitForEvent(scene, 'refresh.reuse_detected'))
})

test('Auth.js: signing out ends the session at Lineage, and copies of the cookie with it', async (t) => {
  const { date, scene, client, user, app, browser } = await openScene(t)
  await browser.logIn(user)
  const copy = browser.copy()
  t.notOk((await browser.logOut()).searchParams.has('error'))
  t.strictSame(browser.sessionCookies(), [])
  t.equal(await browser.session(), null)
  t.ok(await waitForEvent(scene, 'token.revoked'))
  t.equal(await refresh(scene, client, await copy.tokens()), 'invalid_grant')
  t.match(await copy.session(), { user: { id: user.id } }, 'until its access token is due')
  date.step(TTL_SECONDS)
  t.equal(await copy.session(), null)
  t.strictSame(app.errors, [])
})

test('Auth.js: what an administrator ends is over when its access token is due', async (t) => {
  const { date, scene, user, browser } = await openScene(t)
  await browser.logIn(user)
  t.equal((await scene.admin('DELETE', `/admin/users/${user.id}/sessions`)).status, 204)
  t.match(await browser.session(), { user: { id: user.id } })
  date.step(TTL_SECONDS)
  t.equal(await browser.session(), null)
})

test('Auth.js: while Lineage does not answer, sessions stay and logins are a fault', async (t) => {
  const { date, scene, client, user, browser } = await openScene(t)
  const lonely = await openLonelyApp(t, client)
  const login = await openBrowser(lonely).logIn(user)
  t.equal(`${login.pathname}${login.search}`, '/auth/error?error=Configuration')
  await browser.logIn(user)
  date.step(TTL_SECONDS)
  const waiting = browser.copy(lonely)
  t.match(await waiting.session(), { user: { id: user.id } })
  t.match(await waiting.tokens(), { refresh_token: (await browser.tokens())?.refresh_token })
  const back = waiting.copy(openAuthJsApp({ issuer: scene.issuer, client }))
  t.match(await back.session(), { user: { id: user.id } })
  t.not((await back.tokens())?.refresh_token, (await browser.tokens())?.refresh_token)

  const leaving = back.copy(lonely)
  await leaving.logOut()
  t.strictSame(leaving.sessionCookies(), [])
  t.strictSame(lonely.errors, ['CallbackRouteError', 'EventError'])
  t.equal(await refresh(scene, client, await back.tokens()), undefined, 'it lives on at Lineage')
})

test('Auth.js: a jwt callback that throws loses the session', async (t) => {
  const { user, app, browser } = await openScene(t)
  await browser.logIn(user)
  const jwt = async () => {
    throw new Error('Lineage does not answer')
  }
  const { config } = app
  const callbacks = { ...config.callbacks, jwt }
  const handle = (request: Request) => Auth(request, { ...config, callbacks })
  const careless = browser.copy({ ...app, handle })
  t.equal(await careless.session(), null)
  t.strictSame(careless.sessionCookies(), [])
  t.strictSame(app.errors, ['JWTSessionError'])
})

test('Auth.js: a session with many roles is two cookies, and works as one', async (t) => {
  const roles = Array.from({ length: ROLES_MAX }, (_, index) => `role-${index}`.padEnd(64, 'x'))
  const { date, user, browser } = await openScene(t, { roles })
  await browser.logIn(user)
  const login = await browser.tokens()
  t.strictSame(decodeJwt(login?.access_token ?? '').roles, roles)
  const names = browser.sessionCookies().map(({ name }) => name.split('.').at(-1))
  t.strictSame(names, ['0', '1'])
  date.step(TTL_SECONDS)
  t.match(await browser.session(), { user: { id: user.id } })
  t.not((await browser.tokens())?.refresh_token, login?.refresh_token)
  await browser.logOut()
  t.strictSame(browser.sessionCookies(), [])
})

test('Auth.js: without its CSRF token nobody is logged in or out', async (t) => {
  const { user, app, browser } = await openScene(t)
  const { username, password } = user
  browser.take(await browser.send('/auth/callback/credentials', { username, password }))
  t.strictSame(browser.sessionCookies(), [])
  await browser.logIn(user)
  browser.take(await browser.send('/auth/signout', {}))
  t.match(await browser.session(), { user: { id: user.id } })
  t.strictSame(app.errors, ['MissingCSRF', 'MissingCSRF'])
})
