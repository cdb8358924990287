// Which worker gets a connection: the one that has waited longest, of those that have room while any has. A
// worker has one on its way at a time, so that one which is busy gets fewer; what was on its way to a worker that
// dies goes to another. (The round robin of node:cluster leaves such a connection open with nobody to answer
// it: docs/adr/0017-workers.md.)

import type { Socket } from 'node:net'
import type { WorkerProcess } from './worker-process.ts'

/** Connections that may wait for a worker; further ones are closed. */
const WAITING_MAX = 1_024
/** So many wait for a worker with room that is busy; when they are more, it may be stuck. */
const PATIENT_MAX = 512

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
  /** The worker has the one that it was handed, and may have no room for another of that listener. */
  taken(worker: Receiver, told: { readonly isFull: boolean }): void
  /** It has room for that listener again. */
  hasRoom(worker: Receiver, listener: number): void
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
  /** Of each worker, the listeners for which it has no room, as far as it has said. */
  const full = new Map<Receiver, Set<number>>()
  let onEmpty = () => {}

  function dispatch(): void {
    for (const worker of free) {
      const index = waiting.findIndex(({ listener }) => mayTake(worker, listener))
      const [arrival] = index < 0 ? [] : waiting.splice(index, 1)
      if (!arrival) continue
      free.delete(worker)
      underway.set(worker, arrival)
      worker.hand(arrival.listener, arrival.socket)
    }
    if (waiting.length + underway.size === 0) onEmpty()
  }

  function mayTake(worker: Receiver, listener: number): boolean {
    if (!full.get(worker)?.has(listener) || waiting.length > PATIENT_MAX) return true
    return [...full.values()].every((listeners) => listeners.has(listener))
  }

  return {
    add(listener, socket) {
      socket.on('error', () => {})
      if (waiting.length >= WAITING_MAX) socket.destroy()
      else waiting.push({ listener, socket })
      dispatch()
    },
    join(worker) {
      full.set(worker, new Set())
      free.add(worker)
      dispatch()
    },
    taken(worker, { isFull }) {
      // What it says may be read after its end.
      const arrival = underway.get(worker)
      if (!arrival) return
      arrival.socket.destroy()
      if (isFull) full.get(worker)?.add(arrival.listener)
      else full.get(worker)?.delete(arrival.listener)
      underway.delete(worker)
      free.add(worker)
      dispatch()
    },
    hasRoom(worker, listener) {
      full.get(worker)?.delete(listener)
      dispatch()
    },
    leave(worker) {
      const arrival = underway.get(worker)
      underway.delete(worker)
      free.delete(worker)
      full.delete(worker)
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
