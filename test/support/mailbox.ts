// A real mail server on a port of its own, which takes mails, refuses them or is away, and what it has
// taken as a mail program would read it (by a parser that has nothing to do with what writes them).

import { once } from 'node:events'
import type { AddressInfo } from 'node:net'
import { text } from 'node:stream/consumers'
import PostalMime, { type Email } from 'postal-mime'
import { SMTPServer, type SMTPServerOptions } from 'smtp-server'
import { LOCALHOST_CERTIFICATE, LOCALHOST_KEY } from './localhost-certificate.ts'
import type { Scope } from './scope.ts'
import { until } from './until.ts'

export interface ReceivedMail {
  readonly sender: string
  readonly recipients: readonly string[]
  /** Whether it came by TLS, and as whom. */
  readonly isSecure: boolean
  readonly user: string | undefined
  readonly raw: string
  readonly mail: Email
}

export interface Mailbox {
  readonly port: number
  /** In the order in which they came. */
  readonly received: readonly ReceivedMail[]
  /** How often somebody has been refused. */
  readonly refused: readonly number[]
  /** The reply code to recipients from now on; undefined takes them. */
  refuse(code: number | undefined): void
  /** Resolves with the mail of this number, from 1 on, once it is there. */
  arrived(count: number): Promise<ReceivedMail>
  /** Away until it is started again, on the same port. */
  stop(): Promise<void>
  start(): Promise<void>
}

/** Takes mail without TLS and without a name, unless the options say otherwise. */
export async function startMailbox(t: Scope, options: SMTPServerOptions = {}): Promise<Mailbox> {
  const received: ReceivedMail[] = []
  const refused: number[] = []
  let code: number | undefined
  let port = 0
  let server: SMTPServer | undefined

  async function start(): Promise<void> {
    server = new SMTPServer({
      disabledCommands: ['STARTTLS', 'AUTH'],
      key: LOCALHOST_KEY,
      cert: LOCALHOST_CERTIFICATE,
      closeTimeout: 100,
      onRcptTo(_address, _session, callback) {
        if (code === undefined) return callback()
        refused.push(code)
        callback(Object.assign(new Error('No.'), { responseCode: code }))
      },
      async onData(stream, { envelope, secure, user }, callback) {
        const raw = await text(stream)
        received.push({
          sender: envelope.mailFrom ? envelope.mailFrom.address : '',
          recipients: envelope.rcptTo.map(({ address }) => address),
          isSecure: secure,
          user,
          raw,
          mail: await PostalMime.parse(raw),
        })
        callback()
      },
      ...options,
    })
    server.on('error', () => {})
    await once(server.listen(port, '127.0.0.1'), 'listening')
    port = (server.server.address() as AddressInfo).port
  }

  async function stop(): Promise<void> {
    const running = server
    server = undefined
    if (running) await new Promise<void>((resolve) => running.close(resolve))
  }

  await start()
  t.teardown(stop)
  return {
    port,
    received,
    refused,
    refuse(next) {
      code = next
    },
    arrived: (count) => until(`mail ${count}`, () => received[count - 1]),
    stop,
    start,
  }
}

/** The link of a mail, as its text has it, and the token in it. */
export function readLink({ mail }: ReceivedMail): { page: string; token: string } {
  const [, page = '', token = ''] = /^(https?:\S+)#token=(\S+)$/m.exec(mail.text ?? '') ?? []
  if (token === '') throw new Error(`no link in: ${mail.text}`)
  return { page, token }
}
