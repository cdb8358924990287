// A browser client and what a browser would send for it: an Origin and the cookies it was given.

import type { Test } from 'tap'
import type { ClientInput } from '../../src/clients/client-draft.ts'
import { type StartAppOptions, startApp, type TestApp } from '../support/app.ts'

export const ORIGIN = 'https://app.example.test'
export const FOREIGN = 'https://evil.example'

export interface Sent {
  /** Undefined sends none. */
  readonly origin?: string | undefined
  /** The raw Cookie header. */
  readonly cookie?: string | undefined
  readonly headers?: Record<string, string>
}

export interface BrowserScene {
  readonly app: TestApp
  readonly client: { id: string; secret: string }
  readonly user: { username: string; password: string }
  /** The names of the two cookies. */
  readonly refreshName: string
  readonly accessName: string
  /** POSTs a form that names the client, from the client's origin unless `sent` says another. */
  post(path: string, form: Record<string, string>, sent?: Sent): Promise<Response>
  logIn(sent?: Sent): Promise<Response>
  refresh(sent: Sent): Promise<Response>
  /** The Cookie header with the refresh token that an answer has set. */
  cookieOf(answer: Response): string
}

export async function openBrowserScene(
  t: Test,
  input: Partial<ClientInput> = {},
  options: StartAppOptions = {},
): Promise<BrowserScene> {
  const app = await startApp(t, options)
  const client = await app.makeClient({
    tokenDelivery: 'cookie',
    allowedOrigins: [ORIGIN],
    scopes: ['read', 'write'],
    defaultScopes: ['read'],
    ...input,
  })
  const user = await app.makeUser()
  const prefix = app.service.config.issuer.startsWith('https:') ? '__Host-' : ''
  const refreshName = `${prefix}lineage_refresh-${client.id}`
  const scene: BrowserScene = {
    app,
    client,
    user,
    refreshName,
    accessName: `${prefix}lineage_access-${client.id}`,
    post(path, form, sent = {}) {
      const origin = 'origin' in sent ? sent.origin : ORIGIN
      return app.form(
        `${app.service.basePath}${path}`,
        { client_id: client.id, ...form },
        {
          ...(origin === undefined ? {} : { origin }),
          ...(sent.cookie === undefined ? {} : { cookie: sent.cookie }),
          ...sent.headers,
        },
      )
    },
    logIn: (sent) => scene.post('/token', { grant_type: 'password', ...scene.user }, sent),
    refresh: (sent) => scene.post('/token', { grant_type: 'refresh_token' }, sent),
    cookieOf(answer) {
      const value = readSetCookies(answer)[refreshName]?.value
      if (!value) throw new Error(`no refresh cookie with ${answer.status}`)
      return `${refreshName}=${value}`
    },
  }
  return scene
}

export interface SetCookie {
  readonly value: string
  /** As sent, in lower case, sorted: `httponly`, `path=/`. */
  readonly flags: readonly string[]
  readonly maxAge: number
}

/** The cookies that an answer sets, by name. */
export function readSetCookies(answer: Response): Record<string, SetCookie> {
  return Object.fromEntries(
    answer.headers.getSetCookie().map((line) => {
      const [pair = '', ...flags] = line.split('; ')
      const equals = pair.indexOf('=')
      const maxAge = flags.find((flag) => flag.startsWith('Max-Age='))?.slice('Max-Age='.length)
      return [
        pair.slice(0, equals),
        {
          value: pair.slice(equals + 1),
          flags: flags
            .filter((flag) => !flag.startsWith('Max-Age='))
            .map((flag) => flag.toLowerCase())
            .sort(),
          maxAge: Number(maxAge),
        },
      ]
    }),
  )
}
