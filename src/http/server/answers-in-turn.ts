// The answers of one connection are made one after another, each when the one before has been taken.
// Whoever sends many requests at once and reads nothing (RFC 9112 §9.3.2 allows the former) otherwise
// has all their answers made, and kept, at our cost.

import type { Socket } from 'node:net'
import type { FastifyInstance } from 'fastify'

/** Requests of one connection that wait for an answer; no client that pipelines sends so many. */
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
      // Emitted once the answer has left us, and when the connection has ended before.
      reply.raw.once('close', () => passOn(turns, socket))
      done()
    }
    if (!turns.isTaken) begin()
    else if (turns.waiting.length < WAITING_MAX) turns.waiting.push(begin)
    else socket.destroy()
  })
}

function passOn(turns: Turns, socket: Socket): void {
  turns.isTaken = false
  // Nobody is answered any more who has gone.
  if (socket.destroyed) turns.waiting.length = 0
  turns.waiting.shift()?.()
}
