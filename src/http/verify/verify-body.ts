// The bodies of requests at /verify mean nothing there. They are thrown away while they come, never
// kept, and never held against the request; nor is their rest taken for the next request.

import type { IncomingMessage } from 'node:http'
import { Socket } from 'node:net'
import { setImmediate as nextTurn } from 'node:timers/promises'
import type { FastifyInstance } from 'fastify'

/** How long the rest of a body is taken in after the answer, so that the caller can read that. */
const LINGER_MS = 1_000

/** For the routes of this scope, which must answer before Fastify would parse the body. */
export function ignoreBodies(scope: FastifyInstance): void {
  scope.addHook('onRequest', async ({ raw }) => {
    if (!announcesBody(raw)) return
    raw.resume()
    // What came together with the headers is read then.
    await nextTurn()
  })
  scope.addHook('onSend', (request, reply, _payload, done) => {
    const { raw } = request
    if (announcesBody(raw) && !raw.complete) {
      // Some gateways announce the body that they do not send, and would put the next request where
      // this connection waits for it.
      reply.header('connection', 'close')
      lingerBeforeClose(raw)
    }
    done()
  })
}

function announcesBody({ headers }: IncomingMessage): boolean {
  const { 'content-length': length = '0', 'transfer-encoding': encoding } = headers
  return encoding !== undefined || length !== '0'
}

/**
 * Node would destroy the socket after the answer. While the caller still sends, that resets the
 * connection, and the answer may be lost with it (RFC 9112 §9.6).
 */
function lingerBeforeClose(request: IncomingMessage): void {
  const { socket } = request
  const close = () => Socket.prototype.destroySoon.call(socket)
  socket.destroySoon = () => {
    socket.end()
    const timer = setTimeout(() => socket.destroy(), LINGER_MS)
    socket.once('close', () => clearTimeout(timer))
    if (request.complete) close()
    else request.once('end', close)
  }
}
