// What a browser does with an app of Auth.js: it keeps the cookies of the answers, and fetches a
// CSRF token before it posts.

import { readSetCookies } from '../scenes/browser-client-scene.ts'
import { AUTH_SECRET, type AuthJsApp } from './auth-js-app.ts'
import { getToken } from './auth-js-core.ts'

const ORIGIN = 'https://app.example.test'
const SESSION_COOKIE = '__Secure-authjs.session-token'
/** Of the visitor, as the proxy in front of the app says. */
export const VISITOR_IP = '203.0.113.7'

export interface Browser {
  /** Sends without keeping the cookies of the answer. */
  send(path: string, form?: Record<string, string>): Promise<Response>
  /** Keeps them. */
  take(answer: Response): void
  /** Where it is sent afterwards. */
  logIn(user: { readonly username: string; readonly password: string }): Promise<URL>
  logOut(): Promise<URL>
  /** What the app says of who is logged in. */
  session(): Promise<Record<string, unknown> | null>
  /** What the app itself reads in the session cookie. */
  tokens(): Promise<{ access_token: string; refresh_token: string } | null>
  /** The session cookie, in parts where it is long. */
  sessionCookies(): { readonly name: string; readonly value: string }[]
  /** Another one with the same cookies, at this app or at another one with its secret. */
  copy(app?: AuthJsApp): Browser
}

export function openBrowser(
  { handle }: Pick<AuthJsApp, 'handle'>,
  cookies = new Map<string, string>(),
): Browser {
  const makeRequest = (path: string, init: RequestInit = {}) => {
    const cookie = [...cookies].map(([name, value]) => `${name}=${value}`).join('; ')
    const headers = { cookie, 'x-forwarded-for': VISITOR_IP }
    return new Request(`${ORIGIN}${path}`, { headers, ...init })
  }

  const browser: Browser = {
    async send(path, form) {
      const post = form ? { method: 'POST', body: new URLSearchParams(form) } : {}
      return await handle(makeRequest(path, post))
    },
    take(answer) {
      for (const [name, { value, maxAge }] of Object.entries(readSetCookies(answer))) {
        if (maxAge === 0) cookies.delete(name)
        else cookies.set(name, value)
      }
    },
    logIn: (user) => submit('/auth/callback/credentials', { ...user }),
    logOut: () => submit('/auth/signout', {}),
    async session() {
      const answer = await browser.send('/auth/session')
      browser.take(answer)
      return (await answer.json()) as Record<string, unknown> | null
    },
    tokens: () =>
      getToken({ req: makeRequest('/'), secret: AUTH_SECRET, secureCookie: true }) as ReturnType<
        Browser['tokens']
      >,
    sessionCookies: () =>
      [...cookies]
        .filter(([name]) => name.startsWith(SESSION_COOKIE))
        .map(([name, value]) => ({ name, value })),
    copy: (app) => openBrowser(app ?? { handle }, new Map(cookies)),
  }

  async function submit(path: string, form: Record<string, string>): Promise<URL> {
    const start = await browser.send('/auth/csrf')
    browser.take(start)
    const { csrfToken } = (await start.json()) as { csrfToken: string }
    const answer = await browser.send(path, { ...form, csrfToken })
    browser.take(answer)
    return new URL(answer.headers.get('location') ?? '', ORIGIN)
  }

  return browser
}
