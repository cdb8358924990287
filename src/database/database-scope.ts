// What one piece of database work has in common from its first query to its last: until when its
// answer is of use, and what the server or the way to it did to it on the way. Prisma takes nothing
// of the kind along to the driver, so it travels with the asynchronous call itself.

import { AsyncLocalStorage } from 'node:async_hooks'
import { DEPENDENCY_DEADLINE_MS } from '../runtime/deadline.ts'

export interface DatabaseScope {
  /** On the clock of `performance.now()`; nothing is sent to the server after it. */
  readonly deadlineMs: number
  /** How long the work has waited for a connection of the pool. */
  queuedMs: number
  /** Whether the server that this work was sent to has answered anybody of late. */
  isAnswering: () => boolean
  /** The first failure that was the server's or the way's; whatever came of it is an outage. */
  failure: string | undefined
  /** The server gave up this transaction for another one's sake: it may be run again. */
  hasConflict: boolean
}

const scopes = new AsyncLocalStorage<DatabaseScope>()

/** Runs `work` with `timeoutMs` to go, or as long as the work that it is a part of still has. */
export function inDatabaseScope<T>(
  timeoutMs: number,
  work: (scope: DatabaseScope) => Promise<T>,
): Promise<T> {
  const outer = scopes.getStore()
  const scope: DatabaseScope = {
    deadlineMs: Math.min(performance.now() + timeoutMs, outer?.deadlineMs ?? Infinity),
    queuedMs: 0,
    isAnswering: () => false,
    failure: undefined,
    hasConflict: false,
  }
  return scopes.run(scope, () => work(scope))
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
