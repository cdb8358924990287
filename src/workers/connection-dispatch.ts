// Which worker gets a connection: the one that has waited longest. A worker has one on its way at a
// time, so that one which is busy gets fewer; what was on its way to a worker that dies goes to
// another. (The round robin of node:cluster leaves such a connection open with nobody to answer it:
// docs/adr/0017-workers.md.)

import type { Socket } from 'node:net'
import type { WorkerProcess } from './worker-process.ts'

/** Connections that may wait for a worker; further ones are closed. */
const WAITING_MAX = 1_024

interface Arrival {
  readonly listener: number
  readonly socket: Socket
}

export type Receiver = Pick<WorkerProcess, 'hand'>

export interface ConnectionDispatch {
  /** Takes a connection of that listener of the plan, of which nothing has been read yet. */
  add(listener: number, socket: Socket): void
  /** From now on the worker is handed connections. */
  join(worker: Receiver): void
  /** The worker has the one that it was handed. */
  taken(worker: Receiver): void
  /** The worker has ended. */
  leave(worker: Receiver): void
  /** Resolves when every connection has been taken. */
  emptied(): Promise<void>
}

export function openConnectionDispatch(): ConnectionDispatch {
  const waiting: Arrival[] = []
  /** In the order in which they became free. */
  const free = new Set<Receiver>()
  const underway = new Map<Receiver, Arrival>()
  let onEmpty = () => {}

  function dispatch(): void {
    for (const worker of free) {
      const arrival = waiting.shift()
      if (!arrival) break
      free.delete(worker)
      underway.set(worker, arrival)
      worker.hand(arrival.listener, arrival.socket)
    }
    if (waiting.length + underway.size === 0) onEmpty()
  }

  return {
    add(listener, socket) {
      socket.on('error', () => {})
      if (waiting.length >= WAITING_MAX) socket.destroy()
      else waiting.push({ listener, socket })
      dispatch()
    },
    join(worker) {
      free.add(worker)
      dispatch()
    },
    taken(worker) {
      // What it says may be read after its end.
      const arrival = underway.get(worker)
      if (!arrival) return
      arrival.socket.destroy()
      underway.delete(worker)
      free.add(worker)
      dispatch()
    },
    leave(worker) {
      const arrival = underway.get(worker)
      underway.delete(worker)
      free.delete(worker)
      if (arrival) waiting.unshift(arrival)
      dispatch()
    },
    async emptied() {
      if (waiting.length + underway.size === 0) return
      await new Promise<void>((resolve) => {
        onEmpty = resolve
      })
    },
  }
}
