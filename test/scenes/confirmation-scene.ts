// A service that sends mail to a real mail server, somebody who reads it, and what the app's pages
// would send.

import type { Test } from 'tap'
import type { SecurityEventType } from '../../src/runtime/security-event.ts'
import { logIn, MAIL, type StartAppOptions, startApp, type TestApp } from '../support/app.ts'
import { type EventJson, readEvents } from '../support/audit.ts'
import { type Mailbox, startMailbox } from '../support/mailbox.ts'
import { until } from '../support/until.ts'

export const ADA = { username: 'ada', email: 'ada@example.test', password: 'correct horse' }

export interface ConfirmationScene {
  readonly app: TestApp
  readonly mailbox: Mailbox
  readonly userId: string
  readonly client: { readonly id: string; readonly secret: string }
  post(path: string, body: unknown, token?: string): Promise<Response>
  /** Asks for a mail, and has what is due sent. */
  askReset(email?: string): Promise<void>
  confirmReset(token: string, newPassword?: string): Promise<Response>
  askVerification(accessToken: string): Promise<void>
  confirmVerification(token: string): Promise<Response>
  /** An access token of ada's. */
  logIn(password?: string): Promise<string>
  account(): Promise<{ email: string; emailVerified: boolean; passwordChangedAt: string }>
}

/** Those of a type, once there are any. */
export async function eventsOf(app: TestApp, type: SecurityEventType): Promise<EventJson[]> {
  return await until(type, async () => {
    const events = await readEvents(app, `&type=${type}`)
    return events.length > 0 && events
  })
}

export function mailSettings(port: number) {
  return { ...MAIL, smtp: { ...MAIL.smtp, port } }
}

/** Ada has an account. */
export async function openConfirmationScene(
  t: Test,
  { config, ...options }: StartAppOptions = {},
): Promise<ConfirmationScene> {
  const mailbox = await startMailbox(t)
  const mail = mailSettings(mailbox.port)
  const app = await startApp(t, { ...options, config: { mail, ...config } })
  const client = await app.makeClient({})
  const { id: userId } = await app.makeUser(ADA)
  const scene: ConfirmationScene = {
    app,
    mailbox,
    userId,
    client,
    post: (path, body, token) =>
      app.fetch(path, {
        method: 'POST',
        headers: {
          ...(body === undefined ? {} : { 'content-type': 'application/json' }),
          ...(token === undefined ? {} : { authorization: `Bearer ${token}` }),
        },
        ...(body === undefined ? {} : { body: JSON.stringify(body) }),
      }),
    async askReset(email = ADA.email) {
      await scene.post('/users/password-reset', { email })
      await app.service.mail.deliverDue()
    },
    confirmReset: (token, newPassword = 'a better horse') =>
      scene.post('/users/password-reset/confirm', { token, newPassword }),
    async askVerification(accessToken) {
      await scene.post('/users/me/email-verification', undefined, accessToken)
      await app.service.mail.deliverDue()
    },
    confirmVerification: (token) => scene.post('/users/email-verification/confirm', { token }),
    logIn: async (password = ADA.password) =>
      (await logIn(app, client, { username: ADA.username, password })).access_token,
    async account() {
      const answer = await app.admin('GET', `/admin/users/${userId}`)
      return (await answer.json()) as Awaited<ReturnType<ConfirmationScene['account']>>
    },
  }
  return scene
}
