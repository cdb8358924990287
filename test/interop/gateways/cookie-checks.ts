// Cookie mode: what a browser sends by itself lets it in, and nobody who makes it send that.

import type { Test } from 'tap'
import { APP_ORIGIN, OTHER_AUDIENCE, type Scene } from '../../scenes/gateway-scene.ts'
import {
  ask,
  checkIdentity,
  checkRefusal,
  checkRefusals,
  METHODS,
  RFC_6750,
  type Subject,
} from './checks.ts'
import { bearer, type Headers } from './raw-request.ts'
import { checkSpoofing } from './spoofing-checks.ts'
import { checkBodies } from './traffic-checks.ts'

const SAFE_METHODS = ['GET', 'HEAD', 'OPTIONS']
const ACCESS_COOKIE = 'lineage_access-browser'

interface BrowserLogin {
  readonly accessToken: string
  readonly refreshToken: string
}

/** Logs in as a page of the application does. */
async function logInAtPage(
  { lineage, clients, user }: Scene,
  extra: Readonly<Record<string, string>> = {},
): Promise<BrowserLogin> {
  const answer = await lineage.form(
    '/token',
    {
      grant_type: 'password',
      client_id: clients.browser.id,
      username: user.username,
      password: user.password,
      ...extra,
    },
    { origin: APP_ORIGIN },
  )
  const cookies = new Map(
    answer.headers.getSetCookie().map((cookie) => {
      const [name = '', value = ''] = (cookie.split(';')[0] ?? '').split('=')
      return [name, value]
    }),
  )
  return {
    accessToken: cookies.get(ACCESS_COOKIE) ?? '',
    refreshToken: cookies.get('lineage_refresh-browser') ?? '',
  }
}

function cookieOf(token: string): Headers {
  return [['Cookie', `theme=dark; ${ACCESS_COOKIE}=${token}`]]
}

/** The path of the examples whose location takes cookies is /app/. */
export async function checkCookieMode(t: Test, bearerSubject: Subject): Promise<void> {
  const { scene } = bearerSubject
  const { accessToken, refreshToken } = await logInAtPage(scene)
  const ofPage: Headers = [['Origin', APP_ORIGIN]]
  const subject: Subject = {
    ...bearerSubject,
    path: '/app/',
    present: (token) => [...cookieOf(token), ...ofPage],
    tokens: await forBrowser(bearerSubject, accessToken),
  }
  await t.test('the user of the page', (t) => checkIdentity(t, subject, accessToken))
  await t.test('bodies', (t) => checkBodies(t, subject))
  await checkRefusals(t, subject)
  await t.test('headers from outside', (t) => checkSpoofing(t, subject))
  await t.test('a bearer token will do as well', (t) => {
    return checkIdentity(t, { ...subject, present: bearer }, bearerSubject.tokens.client)
  })
  await t.test('a page of somebody else may not change anything', async (t) => {
    for (const method of METHODS) await checkOrigins(t, subject, method, accessToken)
  })
  await t.test('nor may it open a WebSocket, which is a GET', async (t) => {
    const upgrade: Headers = [
      ['Connection', 'Upgrade'],
      ['Upgrade', 'websocket'],
    ]
    const headers = [...cookieOf(accessToken), ...upgrade]
    const asked = await ask(subject, { path: '/app/1', headers })
    checkRefusal(t, asked, 401, RFC_6750.invalidToken)
  })
  await t.test('the API sees no token of a cookie', async (t) => {
    const cookies = `lineage_refresh-browser=${refreshToken}; ${ACCESS_COOKIE}=${accessToken}`
    const headers: Headers = [['Cookie', `theme=dark; ${cookies}`]]
    const { answer, arrived } = await ask(subject, { path: '/app/1', headers })
    t.equal(answer.status, 200)
    t.notMatch(JSON.stringify(arrived?.headers), /lineage_(access|refresh)/)
    for (const before of ['', 'a=b; ', 'a=b;', 'a=b;\t', 'a=b;;\xa0', ' \t']) {
      const cookie = `${before}__Host-${ACCESS_COOKIE}=${accessToken}`
      const headers: Headers = [...bearer(accessToken), ['Cookie', cookie]]
      const { answer, arrived } = await ask(subject, { path: '/app/1', headers })
      t.equal(answer.status, 200)
      t.notMatch(JSON.stringify(arrived?.headers), /lineage_access/, before)
    }
  })
  await t.test('elsewhere the cookie is worth nothing', async (t) => {
    const asked = await ask(subject, { path: '/notes/1', headers: cookieOf(accessToken) })
    checkRefusal(t, asked, 401, RFC_6750.none)
  })
}

async function forBrowser({ scene, tokens }: Subject, accessToken: string) {
  const elsewhere = await logInAtPage(scene, { resource: OTHER_AUDIENCE })
  const scopeless = await scene.lineage.admin('PATCH', '/admin/clients/browser', {
    defaultScopes: [],
  })
  if (scopeless.status !== 200) throw new Error('the client stays as it was')
  const narrow = await logInAtPage(scene)
  const { 'a refresh token': _, ...bad } = tokens.bad
  return {
    ...tokens,
    user: { ...tokens.user, access_token: accessToken },
    client: accessToken,
    scopeless: narrow.accessToken,
    bad: {
      ...bad,
      'for another audience': elsewhere.accessToken,
      'of another client': tokens.user.access_token,
    },
  }
}

async function checkOrigins(
  t: Test,
  subject: Subject,
  method: string,
  token: string,
): Promise<void> {
  const lies: Headers = [
    ['X-Forwarded-Method', 'GET'],
    ['X-HTTP-Method-Override', 'GET'],
  ]
  const origins: Headers[] = [[], [['Origin', 'null']], [['Origin', 'https://evil.example.test']]]
  for (const origin of origins) {
    const headers = [...cookieOf(token), ...origin, ...lies]
    const { answer, arrived } = await ask(subject, { method, path: '/app/1', headers })
    const isSafe = SAFE_METHODS.includes(method)
    t.equal(answer.status, isSafe ? 200 : 401, `${method} from ${origin[0]?.[1] ?? 'nowhere'}`)
    t.equal(arrived !== undefined, isSafe)
  }
}
