// A mail server that lets in by XOAUTH2 alone: with an access token of Lineage's that is meant for
// it, for the mailbox of whom the token speaks for. It verifies offline, by the JWKS.

import { once } from 'node:events'
import type { AddressInfo } from 'node:net'
import { text } from 'node:stream/consumers'
import { createRemoteJWKSet, jwtVerify } from 'jose'
import { SMTPServer } from 'smtp-server'
import type { Test } from 'tap'
import { makeCertificate } from '../support/tls-front.ts'

export const MAIL = 'https://mail.example.test'
export const SEND = 'mail:send'

export interface MailServer {
  readonly port: number
  /** Signed by itself, for `localhost`. */
  readonly certificate: string
  /** Addresses by `sub`. */
  readonly mailboxes: Map<string, string>
  readonly received: { readonly mailbox: string; readonly content: string }[]
  /** Why it let somebody not in, once for each attempt. */
  readonly refused: string[]
}

export async function startMailServer(t: Test, issuer: string): Promise<MailServer> {
  const { key, cert } = makeCertificate(t)
  const mailboxes: MailServer['mailboxes'] = new Map()
  const received: MailServer['received'] = []
  const refused: string[] = []
  const keys = createRemoteJWKSet(new URL(`${issuer}/.well-known/jwks.json`))
  const findMailbox = async (token: string): Promise<string | undefined> => {
    const rules = { issuer, audience: MAIL, typ: 'at+jwt', algorithms: ['ES256'] }
    const { payload } = await jwtVerify<{ scope?: string }>(token, keys, rules)
    const maySend = payload.scope?.split(' ').includes(SEND)
    return maySend ? mailboxes.get(payload.sub ?? '') : undefined
  }
  const server = new SMTPServer({
    secure: true,
    key,
    cert,
    authMethods: ['XOAUTH2'],
    async onAuth({ username, accessToken = '' }, _session, callback) {
      const mailbox = await findMailbox(accessToken).catch((error: Error) => {
        refused.push(error.message)
      })
      if (mailbox !== undefined && mailbox === username) callback(null, { user: mailbox })
      else callback(null, { data: { status: '401', schemes: 'bearer', scope: SEND } })
    },
    async onData(stream, { user }, callback) {
      received.push({ mailbox: user, content: await text(stream) })
      callback()
    },
  })
  await once(server.listen(0, '127.0.0.1'), 'listening')
  t.teardown(() => new Promise<void>((resolve) => server.close(resolve)))
  const { port } = server.server.address() as AddressInfo
  return { port, certificate: cert, mailboxes, received, refused }
}
