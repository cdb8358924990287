// Answers on one connection are made one after another, each after the one before was taken.
// Otherwise a client that pipelines many requests (RFC 9112 §9.3.2) and reads nothing would make us
// compute all answers and hold them in memory.

import type { Socket } from 'node:net'
import type { FastifyInstance } from 'fastify'

/** Requests of one connection that may wait. No honest client pipelines so many. */
const WAITING_MAX = 64

interface Turns {
  isTaken: boolean
  readonly waiting: (() => void)[]
}

const turnsOf = new WeakMap<Socket, Turns>()

/** Call before any other hook that does work for a request. */
export function answerInTurn(app: FastifyInstance): void {
  app.addHook('onRequest', (request, reply, done) => {
    const { socket } = request.raw
    const turns = turnsOf.get(socket) ?? { isTaken: false, waiting: [] }
    turnsOf.set(socket, turns)
    const begin = () => {
      turns.isTaken = true
      // Emitted when the answer was sent, and also when the connection ended before that.
      reply.raw.once('close', () => beginNext(turns, socket))
      done()
    }
    if (!turns.isTaken) begin()
    else if (turns.waiting.length < WAITING_MAX) turns.waiting.push(begin)
    else socket.destroy()
  })
}

function beginNext(turns: Turns, socket: Socket): void {
  turns.isTaken = false
  // On an ended connection nobody waits for the other answers.
  if (socket.destroyed) turns.waiting.length = 0
  turns.waiting.shift()?.()
}
