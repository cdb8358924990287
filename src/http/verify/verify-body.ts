// Bodies of requests at /verify mean nothing there. They are discarded as they arrive, never
// stored, and never a reason to refuse; and the rest of a body is not taken for the next request.

import type { IncomingMessage } from 'node:http'
import { Socket } from 'node:net'
import { setImmediate as nextTurn } from 'node:timers/promises'
import type { FastifyInstance } from 'fastify'

/** How long the rest of a body is read after the answer, so that the caller gets the answer. */
const LINGER_MS = 1_000

/** For the routes of this scope, which must answer before Fastify would parse the body. */
export function ignoreBodies(scope: FastifyInstance): void {
  scope.addHook('onRequest', async ({ raw }) => {
    if (!announcesBody(raw)) return
    raw.resume()
    // By then the part of the body is read that arrived together with the headers.
    await nextTurn()
  })
  scope.addHook('onSend', (request, reply, _payload, done) => {
    const { raw } = request
    if (announcesBody(raw) && !raw.complete) {
      // Some gateways announce a body that they do not send. Their next request on this connection
      // would be read as that body, so the connection is closed.
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
