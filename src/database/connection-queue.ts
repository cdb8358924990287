// The queue for a few connections, in order of arrival, bounded in number and in time. The time in
// it is counted apart from the time that the server takes, because it says nothing about the
// server.

import { afterDeadline, DEPENDENCY_DEADLINE_MS } from '../runtime/deadline.ts'
import { DependencyUnavailable } from '../runtime/dependency-unavailable.ts'
import type { PoolLoad } from '../runtime/pool-load.ts'
import { currentScope, remainingMs } from './database-scope.ts'

/** How many may wait, and how long, so that some of the deadline is left for the work itself. */
const WAITING_MAX = 1_000
const WAIT_MAX_MS = DEPENDENCY_DEADLINE_MS - 300

/** A wait of which an operator may want to know. */
const LONG_WAIT_MS = 100

export interface ConnectionQueue {
  /** Resolves when a connection is the caller's; rejects with DependencyUnavailable, `queue`. */
  enter(): Promise<void>
  /** Hands it to whoever has waited longest. */
  leave(): void
  load(): PoolLoad
}

export interface QueueListeners {
  /** Told of every caller who has waited long or is turned away. */
  readonly onCongested?: () => void
  /** Told how long each of those waited who found no connection free, in vain or not. */
  readonly onWaited?: (seconds: number) => void
}

export function openConnectionQueue(
  size: number,
  { onCongested = () => {}, onWaited = () => {} }: QueueListeners = {},
): ConnectionQueue {
  /** Calling a member hands it a connection. */
  const waiting = new Set<() => void>()
  let taken = 0
  let [waits, waitedMs, turnedAway] = [0, 0, 0]

  function turnAway(detail: string): DependencyUnavailable {
    turnedAway += 1
    onCongested()
    return busy(detail)
  }

  function wait(): Promise<void> {
    const scope = currentScope()
    const fromMs = performance.now()
    const limitMs = Math.max(0, Math.min(WAIT_MAX_MS, remainingMs()))
    return new Promise((resolve, reject) => {
      const leaveQueue = () => {
        waiting.delete(enter)
        cancel()
        const queuedMs = performance.now() - fromMs
        waits += 1
        waitedMs += queuedMs
        onWaited(queuedMs / 1_000)
        if (queuedMs >= LONG_WAIT_MS) onCongested()
        if (scope) scope.queuedMs += queuedMs
      }
      const enter = () => {
        leaveQueue()
        resolve()
      }
      const cancel = afterDeadline(limitMs, () => {
        leaveQueue()
        reject(turnAway('waited too long for a connection'))
      })
      waiting.add(enter)
    })
  }

  return {
    async enter() {
      if (taken < size) {
        taken += 1
        return
      }
      if (waiting.size >= WAITING_MAX) throw turnAway('too many wait for a connection')
      await wait()
    },
    leave() {
      const [next] = waiting
      if (next) next()
      else taken -= 1
    },
    load: () => ({
      ...{ size, busy: taken, waiting: waiting.size },
      ...{ waits, waitSeconds: waitedMs / 1_000, turnedAway },
    }),
  }
}

/** The error for too much of our own work: 503, but not reported as an outage. */
export function busy(detail: string): DependencyUnavailable {
  return new DependencyUnavailable('postgresql', detail, 'queue')
}
