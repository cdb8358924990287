// A gateway's view of /verify: a client and a user with a token, and calls as gateways make them.

import type { Test } from 'tap'
import type { ClientInput } from '../../src/clients/client-draft.ts'
import { logIn, type StartAppOptions, startApp, type TestApp } from '../support/app.ts'
import { exchange, type WireAnswer } from '../support/hostile-wire.ts'

export const API = 'https://api.example.test'

export interface VerifyScene {
  readonly app: TestApp
  readonly client: { id: string; secret: string }
  readonly user: { id: string; username: string; password: string }
  /** The user's access token, with scope `read write` and for the API. */
  readonly token: string
  /** Asks with the user's token, unless the headers bring an Authorization of their own. */
  verify(path?: string, init?: RequestInit): Promise<Response>
  /** The reason of each refusal that was logged. */
  reasons(): readonly (string | undefined)[]
}

export async function openVerifyScene(
  t: Test,
  input: Partial<ClientInput> = {},
  options: StartAppOptions = {},
): Promise<VerifyScene> {
  const app = await startApp(t, options)
  const client = await app.makeClient({
    scopes: ['read', 'write', 'lineage:admin'],
    defaultScopes: ['read', 'write'],
    audiences: [API],
    ...input,
  })
  const user = await app.makeUser({ roles: ['support', 'lineage:admin'] })
  const { basePath } = app.service
  const { access_token: token } = await logIn(
    { form: (path, form) => app.form(`${basePath}${path}`, form) },
    client,
    user,
  )
  return {
    app,
    client,
    user,
    token,
    verify: (path = '/verify', init = {}) =>
      app.fetch(`${basePath}${path}`, {
        ...init,
        headers: { authorization: `Bearer ${token}`, ...init.headers },
      }),
    reasons: () =>
      app.log.filter(({ event }) => event === 'request.refused').map(({ reason }) => reason),
  }
}

/** The bytes of a request with a token, whose answer closes the connection. */
export async function ask(
  { app, token }: Pick<VerifyScene, 'app' | 'token'>,
  start: string,
  headers: readonly string[] = [],
): Promise<WireAnswer | undefined> {
  const lines = [`${start} HTTP/1.1`, 'Host: x', `Authorization: Bearer ${token}`, ...headers]
  const bytes = `${[...lines, 'Connection: close'].join('\r\n')}\r\n\r\n`
  return (await exchange(app.url, bytes, { bodiless: start.startsWith('HEAD') }))[0]
}

/** The seven of them, in order; null where one is missing. */
export function identityOf({ headers }: Response): readonly (string | null)[] {
  return ['subject', 'subject-type', 'client', 'scope', 'roles', 'session', 'actor'].map((name) =>
    headers.get(`x-auth-${name}`),
  )
}
