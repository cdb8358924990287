// What all queries of one piece of database work share: its deadline, and which failures it has
// met. Prisma passes nothing of that kind to the driver, so it is kept in an AsyncLocalStorage.

import { AsyncLocalStorage } from 'node:async_hooks'
import { afterDeadline, DEPENDENCY_DEADLINE_MS } from '../runtime/deadline.ts'

export interface DatabaseScope {
  /** On the clock of `performance.now()`; nothing is sent to the server after it. */
  readonly deadlineMs: number
  /** How long the work has waited for a connection so far. */
  queuedMs: number
  /**
   * Whether the server had answered anybody a moment before; true while it was not even asked: then
   * nothing is known against it.
   */
  wasAnswering: (atMs: number) => boolean
  /** Asks the server for a sign of life; called while there is still time for the answer. */
  askServer: () => void
  /** The code of the first outage that a query met; the work as a whole has then met an outage. */
  failure: string | undefined
  /** Whether the server aborted the transaction because of a conflict: it may be run again. */
  hasConflict: boolean
}

/** Before making a connection is given up, too. */
const ASK_BEFORE_MS = 700

const scopes = new AsyncLocalStorage<DatabaseScope>()
/** Pieces of work under way in any scope. */
let running = 0

/** Runs `work` with a deadline in `timeoutMs`. Work around it that ends earlier has it as a part. */
export function inDatabaseScope<T>(
  timeoutMs: number,
  work: (scope: DatabaseScope) => Promise<T>,
): Promise<T> {
  const outer = scopes.getStore()
  if (outer && outer.deadlineMs <= performance.now() + timeoutMs) return work(outer)
  return inOwnScope(timeoutMs, work)
}

/** The same, whatever the work around it has left. */
export function inOwnScope<T>(
  timeoutMs: number,
  work: (scope: DatabaseScope) => Promise<T>,
): Promise<T> {
  const deadlineMs = performance.now() + timeoutMs
  const scope: DatabaseScope = {
    deadlineMs,
    queuedMs: 0,
    wasAnswering: () => true,
    askServer: () => {},
    failure: undefined,
    hasConflict: false,
  }
  return scopes.run(scope, () => untilDone(watched(work(scope), scope, timeoutMs)))
}

/** Work that is nearly late: whether that is the server's fault is to be known when it is. */
async function watched<T>(work: Promise<T>, scope: DatabaseScope, timeoutMs: number): Promise<T> {
  const cancel = afterDeadline(timeoutMs - ASK_BEFORE_MS, () => scope.askServer())
  try {
    return await work
  } finally {
    cancel()
  }
}

/**
 * Keeps the scopes in force until the work has ended, even if nobody waits for it any more. Without
 * work they are switched off: before Node.js 24, an AsyncLocalStorage in use makes every promise of
 * the process dearer, and so a refresh by a fifth, which asks no database at all
 * (docs/performance.md).
 */
export async function untilDone<T>(work: Promise<T>): Promise<T> {
  running += 1
  try {
    return await work
  } finally {
    running -= 1
    if (running === 0) scopes.disable()
  }
}

/** Undefined outside of any work that is guarded. */
export function currentScope(): DatabaseScope | undefined {
  return scopes.getStore()
}

/** What is left of the deadline; zero or less when it has passed. */
export function remainingMs(): number {
  const scope = scopes.getStore()
  return scope === undefined ? DEPENDENCY_DEADLINE_MS : scope.deadlineMs - performance.now()
}
