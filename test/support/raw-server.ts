// A server of bytes, for answers that no HTTP server gives.

import { once } from 'node:events'
import { type AddressInfo, createServer, type Socket } from 'node:net'
import { createServer as createTlsServer } from 'node:tls'
import type { Test } from 'tap'
import { LOCALHOST_CERTIFICATE, LOCALHOST_KEY } from './localhost-certificate.ts'

export interface RawServer {
  /** At `localhost`; with `isTls` by the certificate of `localhost-certificate.ts`. */
  readonly url: string
  readonly connections: () => number
  /** What is written from now on once a request begins to come; the connection stays open. */
  answerWith(answer: string | ((socket: Socket) => void)): void
}

export async function startRawServer(t: Test, { isTls = false } = {}): Promise<RawServer> {
  let answer: string | ((socket: Socket) => void) = ''
  let connections = 0
  const sockets = new Set<Socket>()
  const onConnection = (socket: Socket): void => {
    connections += 1
    sockets.add(socket)
    socket.on('error', () => {})
    socket.on('close', () => sockets.delete(socket))
    socket.on('data', () => {})
    socket.once('data', () => {
      if (typeof answer === 'string') socket.write(answer)
      else answer(socket)
    })
  }
  const certified = { cert: LOCALHOST_CERTIFICATE, key: LOCALHOST_KEY }
  const server = isTls ? createTlsServer(certified, onConnection) : createServer(onConnection)
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  t.teardown(async () => {
    for (const socket of sockets) socket.destroy()
    await new Promise((resolve) => server.close(resolve))
  })
  return {
    url: `http${isTls ? 's' : ''}://localhost:${(server.address() as AddressInfo).port}/`,
    connections: () => connections,
    answerWith(other) {
      answer = other
    },
  }
}

/** Answers an upgrade that nobody asked for (RFC 9110 §15.2.2). */
export const SWITCHING = 'HTTP/1.1 101 Switching\r\nConnection: Upgrade\r\nUpgrade: x\r\n\r\n'
/** RFC 8297 */
export const EARLY_HINTS = 'HTTP/1.1 103 Early Hints\r\nLink: </>\r\n\r\n'

/** Writes the text for as long as it is read. */
export function writeForEver(text: string): (socket: Socket) => void {
  return (socket) => {
    const more = (): void => {
      while (!socket.destroyed && socket.write(text)) {}
    }
    socket.on('drain', more)
    more()
  }
}
