// Requests that were sent while this instance stood still. Their senders have mostly given up and
// asked another instance: a refresh carried out for them now would be taken for theft, and whatever
// else they wanted, they may have changed their minds since.

import type { Socket } from 'node:net'
import type { FastifyInstance } from 'fastify'
import { watchStandstill } from '../../runtime/standstill.ts'

/** That somebody has hung up is read after what he had sent, in a later turn of the event loop. */
const HEARD_WITHIN_MS = 50

/** Call before any hook that does work for a request. */
export function dropLateRequests(app: FastifyInstance): void {
  const standstill = watchStandstill()
  app.addHook('onClose', async () => standstill.close())
  app.addHook('onRequest', (request, reply, done) => {
    if (!standstill.wasOfLate()) return done()
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
