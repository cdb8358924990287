// A real proxy in front of a service, that is told what to do wrong. It comes from an address of its own,
// 127.0.0.2, as a proxy on another machine does.

import { once } from 'node:events'
import {
  createServer,
  type IncomingHttpHeaders,
  type IncomingMessage,
  type OutgoingHttpHeaders,
  request as requestOnward,
  type ServerResponse,
} from 'node:http'
import { createServer as createTlsServer, type ServerOptions } from 'node:https'
import type { AddressInfo } from 'node:net'
import type { Test } from 'tap'

export const PROXY_IP = '127.0.0.2'

/** What it does wrong; nothing, unless something is said. */
export interface Faults {
  /** The path that it asks for in place of the one that came. */
  readonly rewrite?: (path: string) => string
  /** Changes what it passes on, given what came. */
  readonly onward?: (headers: IncomingHttpHeaders, came: IncomingHttpHeaders) => void
  /** Changes what it gives back. */
  readonly back?: (headers: OutgoingHttpHeaders, path: string) => void
  /** Answers by itself; true where it has. */
  readonly answers?: (request: IncomingMessage, response: ServerResponse) => boolean
  /** Keeps the first answer to each path for ever. */
  readonly caches?: boolean
}

export interface FaultyProxy {
  readonly port: number
  forwardTo(port: number, faults?: Faults): void
}

interface Kept {
  readonly status: number
  readonly headers: OutgoingHttpHeaders
  readonly body: Buffer
}

/** Named before the service is, which is told this port as its issuer's. */
export async function startFaultyProxy(t: Test, tls?: ServerOptions): Promise<FaultyProxy> {
  let target = 0
  let faults: Faults = {}
  const cache = new Map<string, Kept>()
  const server = tls ? createTlsServer(tls) : createServer()
  server.on('request', (incoming: IncomingMessage, outgoing: ServerResponse) => {
    const { method = 'GET', url: path = '/' } = incoming
    if (faults.answers?.(incoming, outgoing)) return
    const kept = faults.caches ? cache.get(`${method} ${path}`) : undefined
    if (kept) return void outgoing.writeHead(kept.status, kept.headers).end(kept.body)
    const headers: IncomingHttpHeaders = {
      ...incoming.headers,
      'x-forwarded-for': incoming.socket.remoteAddress ?? '',
      'x-forwarded-proto': tls ? 'https' : 'http',
    }
    for (const name of ['client-cert', 'x-forwarded-host', 'x-forwarded-uri', 'connection']) {
      delete headers[name]
    }
    faults.onward?.(headers, incoming.headers)
    const onward = requestOnward(
      {
        ...{ host: '127.0.0.1', port: target, localAddress: PROXY_IP, method, headers },
        path: faults.rewrite?.(path) ?? path,
      },
      (answer) => {
        const status = answer.statusCode ?? 502
        const back: OutgoingHttpHeaders = { ...answer.headers }
        delete back.connection
        delete back['keep-alive']
        faults.back?.(back, path)
        const chunks: Buffer[] = []
        answer.on('data', (chunk: Buffer) => chunks.push(chunk))
        answer.on('end', () => {
          const body = Buffer.concat(chunks)
          cache.set(`${method} ${path}`, { status, headers: back, body })
          outgoing.writeHead(status, back).end(body)
        })
      },
    )
    onward.on('error', () => outgoing.destroy())
    incoming.pipe(onward)
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  t.teardown(() => {
    server.closeAllConnections()
    server.close()
  })
  return {
    port: (server.address() as AddressInfo).port,
    forwardTo(port, given = {}) {
      target = port
      faults = given
      cache.clear()
    },
  }
}
