// What the poll does between two connects: it applies to every server the journal entries of an
// instance that died before it applied them, and notices a server that was emptied meanwhile.

import type { Redis } from 'ioredis'
import { rethrowSafely } from '../../redis/redis-failure.ts'
import { DependencyUnavailable } from '../../runtime/dependency-unavailable.ts'
import { type Gate, gateClosed } from './redis-gate.ts'
import type { JournalReplay } from './redis-replay.ts'

/** What belongs to one connection, and so to the server behind it. */
export interface ServerHandle {
  readonly replay: JournalReplay
  readonly gate: Gate
}

export interface CatchUpDependencies {
  /** The connections that must be up; rejects with DependencyUnavailable when there are none. */
  readonly connected: () => readonly Redis[]
  readonly handles: ReadonlyMap<Redis, ServerHandle>
  /** Rejects when some users cannot be served by those that are connected. */
  readonly checkCoverage: () => void
  readonly onLost: () => void
}

/** Gives the call for the poll. Calls that come while one is running share its outcome. */
export function openCatchUp(dependencies: CatchUpDependencies): () => Promise<void> {
  const { connected, handles, checkCoverage, onLost } = dependencies
  let running: Promise<void> | undefined

  async function catchUp(redis: Redis): Promise<void> {
    const handle = handles.get(redis)
    if (!handle?.gate.isOpen()) throw gateClosed()
    if ((await handle.replay.catchUp()) === 'seen') return
    onLost()
    await handle.gate.reopen()
  }

  // Without a deadline for the whole: a long journal takes long, and each command has its own
  // deadline.
  async function catchUpEverywhere(): Promise<void> {
    const results = await Promise.allSettled(connected().map(catchUp))
    const failed = results.find((result) => result.status === 'rejected')
    if (failed) rethrowSafely(failed.reason)
    checkCoverage()
  }

  return () => {
    running ??= catchUpEverywhere().finally(() => {
      running = undefined
    })
    return running
  }
}

/** Throws when slots have no connected node: ioredis does not list a Cluster node that is away. */
export function checkSlots(handles: readonly (ServerHandle | undefined)[], slots: number): void {
  const served = handles.reduce((sum, handle) => sum + (handle?.replay.servedSlots() ?? 0), 0)
  if (served < slots) {
    throw new DependencyUnavailable('redis', 'slots of the Cluster are not served')
  }
}
