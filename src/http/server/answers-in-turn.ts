// Answers on one connection are made one after another, each after the one before was taken.
// Otherwise a client that pipelines many requests (RFC 9112 §9.3.2) and reads nothing would make us
// compute all answers and hold them in memory.

import type { ServerResponse } from 'node:http'
import type { Socket } from 'node:net'
import type { FastifyInstance } from 'fastify'
import type { RequestAbandoned } from './abandoned-requests.ts'

/** Requests of one connection that may wait. No honest client pipelines so many. */
const WAITING_MAX = 64

interface Turns {
  /** The answer whose turn it is. */
  current: ServerResponse | undefined
  /** Whether the caller has taken one since somebody asked. */
  wasAnswered: boolean
  readonly waiting: (() => void)[]
}

const turnsOf = new WeakMap<Socket, Turns>()

/**
 * Call before any other hook that does work for a request. `onAbandoned` is told of callers who hang up
 * first.
 */
export function answerInTurn(app: FastifyInstance, onAbandoned: RequestAbandoned): void {
  app.addHook('onRequest', (request, reply, done) => {
    takeTurn(request.raw.socket, reply.raw, done, () => {
      if (!reply.raw.writableFinished) onAbandoned(request, reply.elapsedTime)
    })
  })
}

/**
 * Calls `begin` when it is the turn of this answer on the connection, and `ended` when it was sent,
 * or the connection ended before that.
 */
export function takeTurn(
  socket: Socket,
  response: ServerResponse,
  begin: () => void,
  ended = () => {},
): void {
  const turns = turnsOf.get(socket) ?? newTurns(socket)
  const take = () => {
    turns.current = response
    response.on('close', () => {
      if (response.writableFinished) turns.wasAnswered = true
      ended()
      beginNext(turns, socket)
    })
    begin()
  }
  if (!turns.current) take()
  else if (turns.waiting.length < WAITING_MAX) turns.waiting.push(take)
  else socket.destroy()
}

/**
 * Whether a request of the connection is being answered, or has been since this was last asked. Where we
 * wait for the caller, to send the rest of it or to take the answer, it is not.
 */
export function wasUsed(socket: Socket): boolean {
  const turns = turnsOf.get(socket)
  if (!turns) return false
  const { current, wasAnswered } = turns
  turns.wasAnswered = false
  return wasAnswered || (current?.req.complete === true && !current.writableEnded)
}

function newTurns(socket: Socket): Turns {
  const turns: Turns = { current: undefined, wasAnswered: false, waiting: [] }
  turnsOf.set(socket, turns)
  return turns
}

/**
 * In a later turn of the event loop, in which others are served as well: the kernel takes many answers at once, and
 * all that a connection has asked for would be made in one go.
 */
function beginNext(turns: Turns, socket: Socket): void {
  if (turns.waiting.length === 0) {
    turns.current = undefined
    return
  }
  // Whatever else comes until then has to wait behind them.
  setImmediate(() => {
    turns.current = undefined
    // On an ended connection nobody waits for the other answers.
    if (socket.destroyed) turns.waiting.length = 0
    turns.waiting.shift()?.()
  })
}
