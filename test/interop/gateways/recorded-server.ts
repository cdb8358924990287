// The two ends that a gateway talks to, each of which remembers what reached it: an upstream that
// answers with 200, and a way to Lineage that passes everything on.

import { once } from 'node:events'
import { createServer, type IncomingMessage, request, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { buffer } from 'node:stream/consumers'
import type { Test } from 'tap'

export interface Received {
  readonly method: string
  /** As it was sent, with the query. */
  readonly url: string
  /** Names as they were sent, in lower case, with every value. */
  readonly headers: readonly (readonly [string, string])[]
  readonly body: Buffer
  /** What stood after a body in chunks. */
  readonly trailers: readonly (readonly [string, string])[]
}

export interface RecordedServer {
  readonly port: number
  readonly received: Received[]
  /** How many connections were made to it. */
  connections(): number
}

/** Answers every request with 200 and a word that no gateway says. */
export function startUpstream(t: Test): Promise<RecordedServer> {
  return startRecorded(t, (_, { method, url }, response) => {
    response.setHeader('x-upstream', 'reached')
    // What an application may say of itself must survive the gateway.
    const status = /[?&]status=(\d{3})/.exec(url)?.[1]
    response.writeHead(Number(status ?? 200)).end(method === 'HEAD' ? undefined : 'from upstream')
  })
}

const PER_CONNECTION = ['connection', 'keep-alive', 'transfer-encoding', 'trailer']

/** Passes on to `port` what it gets; a Lineage that is not there makes it hang up. */
export function startPassage(t: Test, port: number): Promise<RecordedServer> {
  return startRecorded(t, (incoming, { method, url, body }, response) => {
    const onward = request({ port, host: '127.0.0.1', method, path: url, agent: false })
    const { rawHeaders } = incoming
    for (const name of new Set(pairsOf(rawHeaders).map(([name]) => name))) {
      if (PER_CONNECTION.includes(name)) continue
      const values = pairsOf(rawHeaders).filter(([other]) => other === name)
      onward.setHeader(
        name,
        values.map(([, value]) => value),
      )
    }
    onward.on('error', () => incoming.socket.destroy())
    onward.on('response', (answer) => {
      const kept = pairsOf(answer.rawHeaders).filter(([name]) => !PER_CONNECTION.includes(name))
      response.writeHead(answer.statusCode ?? 500, kept.flat())
      answer.pipe(response)
    })
    onward.end(body)
  })
}

type Answer = (incoming: IncomingMessage, received: Received, response: ServerResponse) => void

async function startRecorded(t: Test, answer: Answer): Promise<RecordedServer> {
  const received: Received[] = []
  let connections = 0
  const server = createServer(async (incoming, response) => {
    const { method = '', url = '', rawHeaders } = incoming
    const body = await buffer(incoming).catch(() => undefined)
    if (!body) return
    const trailers = pairsOf(incoming.rawTrailers)
    const one = { method, url, headers: pairsOf(rawHeaders), body, trailers }
    received.push(one)
    answer(incoming, one, response)
  })
  server.on('connection', () => {
    connections += 1
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  t.teardown(() => {
    server.closeAllConnections()
    server.close()
  })
  const { port } = server.address() as AddressInfo
  return { port, received, connections: () => connections }
}

function pairsOf(rawHeaders: readonly string[]): [string, string][] {
  const pairs: [string, string][] = []
  for (let at = 0; at < rawHeaders.length; at += 2) {
    pairs.push([(rawHeaders[at] ?? '').toLowerCase(), rawHeaders[at + 1] ?? ''])
  }
  return pairs
}
