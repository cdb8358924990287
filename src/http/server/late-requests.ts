// Requests that were sent while this instance stood still. Most of their senders have given up and
// asked another instance. To carry out such a refresh would make the sender's next one look like
// theft, and any other change may have been overtaken.

import type { Socket } from 'node:net'
import type { FastifyInstance } from 'fastify'
import { watchStandstill } from '../../runtime/standstill.ts'

/** The end of a connection is read after the request, in a later turn of the event loop. */
const HEARD_WITHIN_MS = 50

export interface LateRequests {
  /** Calls `begin`, unless the request is late and its sender has hung up; then `drop`. */
  sift(socket: Socket, begin: () => void, drop?: () => void): void
}

/** Call before any hook that does work for a request. */
export function dropLateRequests(app: FastifyInstance): LateRequests {
  const standstill = watchStandstill()
  app.addHook('onClose', async () => standstill.close())
  const late: LateRequests = {
    sift(socket, begin, drop) {
      if (!standstill.wasRecent()) return begin()
      setTimeout(() => {
        if (!hasHungUp(socket)) return begin()
        drop?.()
        socket.destroy()
      }, HEARD_WITHIN_MS)
    },
  }
  app.addHook('onRequest', (request, reply, done) =>
    late.sift(request.raw.socket, done, () => reply.hijack()),
  )
  return late
}

function hasHungUp(socket: Socket): boolean {
  return socket.destroyed || socket.readableEnded
}
