// Requests that were sent while this instance stood still. Most of their senders have given up and
// asked another instance. To carry out such a refresh would make the sender's next one look like
// theft, and any other change may have been overtaken.

import type { Socket } from 'node:net'
import type { FastifyInstance } from 'fastify'
import { watchStandstill } from '../../runtime/standstill.ts'

/** The end of a connection is read after the request, in a later turn of the event loop. */
const HEARD_WITHIN_MS = 50

/** Call before any hook that does work for a request. */
export function dropLateRequests(app: FastifyInstance): void {
  const standstill = watchStandstill()
  app.addHook('onClose', async () => standstill.close())
  app.addHook('onRequest', (request, reply, done) => {
    if (!standstill.wasRecent()) return done()
    const { socket } = request.raw
    setTimeout(() => {
      if (!hasHungUp(socket)) return done()
      reply.hijack()
      socket.destroy()
    }, HEARD_WITHIN_MS)
  })
}

function hasHungUp(socket: Socket): boolean {
  return socket.destroyed || socket.readableEnded
}
