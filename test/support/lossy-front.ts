// What stands in front of Lineage and loses answers: the request has arrived and has done what it
// does, and the client hears nothing of it. It remembers what it was sent.

import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { text } from 'node:stream/consumers'
import type { Test } from 'tap'

export interface SeenRequest {
  readonly path: string
  readonly authorization: string | undefined
  readonly form: Readonly<Record<string, string>>
}

export interface LossyFront {
  readonly url: string
  readonly seen: SeenRequest[]
  /** The answer to the next request does not arrive. */
  loseNext(): void
}

export async function startLossyFront(t: Test, target: string): Promise<LossyFront> {
  const seen: SeenRequest[] = []
  let losesNext = false
  const server = createServer(async (incoming, outgoing) => {
    const { method = 'GET', url: path = '/', headers } = incoming
    const { authorization, 'content-type': type } = headers
    const body = await text(incoming)
    seen.push({ path, authorization, form: Object.fromEntries(new URLSearchParams(body)) })
    const answer = await fetch(`${target}${path}`, {
      method,
      ...(method === 'GET' ? {} : { body }),
      headers: {
        ...(type === undefined ? {} : { 'content-type': type }),
        ...(authorization === undefined ? {} : { authorization }),
      },
    })
    const content = await answer.text()
    if (losesNext) {
      losesNext = false
      incoming.socket.destroy()
      return
    }
    const answerType = answer.headers.get('content-type')
    outgoing.writeHead(answer.status, answerType ? { 'content-type': answerType } : {}).end(content)
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  t.teardown(() => {
    server.closeAllConnections()
    server.close()
  })
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    seen,
    loseNext() {
      losesNext = true
    },
  }
}
