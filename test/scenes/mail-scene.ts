// Nodemailer between a Lineage and a mail server that takes its tokens, for a user who is logged in.

import { createTransport } from 'nodemailer'
import type SMTPPool from 'nodemailer/lib/smtp-pool/index.js'
import type SMTPTransport from 'nodemailer/lib/smtp-transport/index.js'
import type { Test } from 'tap'
import type { ClientInput } from '../../src/clients/client-draft.ts'
import { MAIL, SEND, startMailServer } from '../integrations/mail-server.ts'
import { logIn } from '../support/app.ts'
import { startLossyFront } from '../support/lossy-front.ts'
import { API, makeConfidentialClient, startScene } from './integration-scene.ts'

/** Of the user, and of the client on its own. */
export const MAILBOX = 'ada@example.test'

interface AuthOptions {
  readonly [member: string]: unknown
}

/** All that a mail needs; `open` and `openPool` make the transports. */
export async function startPost(t: Test, input: Partial<ClientInput> = {}) {
  const scene = await startScene(t)
  const front = await startLossyFront(t, scene.url)
  const server = await startMailServer(t, scene.issuer)
  const client = await makeConfidentialClient(scene, {
    scopes: [SEND],
    defaultScopes: [SEND],
    audiences: [MAIL, API],
    ...input,
  })
  const user = await scene.makeUser()
  server.mailboxes.set(user.id, MAILBOX).set(client.id, MAILBOX)
  const tokens = await logIn(scene, client, user, { resource: MAIL })
  const { port, certificate: ca } = server
  const where = { host: '127.0.0.1', port, secure: true, tls: { ca, servername: 'localhost' } }
  const refreshing = {
    clientId: client.id,
    clientSecret: client.secret,
    refreshToken: tokens.refresh_token,
    accessUrl: `${front.url}/token`,
  }
  return {
    scene,
    front,
    server,
    client,
    tokens,
    /** As the documents of nodemailer have it, unless it is told otherwise. */
    open(auth: AuthOptions = refreshing) {
      const options = { ...where, auth: { type: 'OAuth2' as const, user: MAILBOX, ...auth } }
      const transport = createTransport(options as SMTPTransport.Options)
      t.teardown(() => transport.close())
      return transport
    },
    openPool(connections: number) {
      const auth = { type: 'OAuth2' as const, user: MAILBOX, ...refreshing }
      const options: SMTPPool.Options = { ...where, pool: true, maxConnections: connections, auth }
      const transport = createTransport(options)
      t.teardown(() => transport.close())
      return transport
    },
    refreshing,
  }
}
