// A receiver of webhooks as a customer would run one: a real HTTP server that keeps what it was sent
// and verifies signatures by the text of the Standard Webhooks specification.

import { createHmac, timingSafeEqual } from 'node:crypto'
import { createServer, type IncomingHttpHeaders, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { Scope } from './scope.ts'

export interface ReceivedMessage {
  readonly path: string
  readonly headers: IncomingHttpHeaders
  readonly body: string
  readonly json: { type: string; timestamp: string; data: Record<string, unknown> }
}

export interface WebhookReceiver {
  readonly url: string
  readonly port: number
  readonly received: readonly ReceivedMessage[]
  /** Resolves when so many messages have come in all, with all of them. */
  wait(count: number): Promise<readonly ReceivedMessage[]>
  /** How to answer from now on; 204 at first. */
  answerWith(answer: (response: ServerResponse, message: ReceivedMessage) => void): void
}

export async function startReceiver(t: Scope): Promise<WebhookReceiver> {
  const received: ReceivedMessage[] = []
  const waiting = new Set<() => void>()
  let answer = (response: ServerResponse, _message: ReceivedMessage): void => {
    response.writeHead(204).end()
  }
  const server = createServer(async (request, response) => {
    const chunks: Buffer[] = []
    for await (const chunk of request) chunks.push(chunk as Buffer)
    const body = Buffer.concat(chunks).toString()
    const { url: path = '', headers } = request
    const message = { path, headers, body, json: JSON.parse(body || '{}') }
    received.push(message)
    answer(response, message)
    for (const look of waiting) look()
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  t.teardown(async () => {
    server.closeAllConnections()
    await new Promise((resolve) => server.close(resolve))
  })
  const { port } = server.address() as AddressInfo
  return {
    url: `http://127.0.0.1:${port}/hook`,
    port,
    received,
    wait: (count) =>
      new Promise((resolve) => {
        const look = () => {
          if (received.length < count) return
          waiting.delete(look)
          resolve(received)
        }
        waiting.add(look)
        look()
      }),
    answerWith(other) {
      answer = other
    },
  }
}

/** Whether one of the message's signatures is by this secret. */
export function isSignedBy(secret: string, { headers, body }: ReceivedMessage): boolean {
  const key = Buffer.from(secret.replace(/^whsec_/, ''), 'base64')
  const signed = `${headers['webhook-id']}.${headers['webhook-timestamp']}.${body}`
  const expected = createHmac('sha256', key).update(signed).digest()
  return String(headers['webhook-signature'])
    .split(' ')
    .some((signature) => {
      const [version, base64 = ''] = signature.split(',')
      const given = Buffer.from(base64, 'base64')
      return version === 'v1' && given.length === 32 && timingSafeEqual(given, expected)
    })
}
