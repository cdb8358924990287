// The port behind which the counters live: in Redis, in PostgreSQL, or in memory while the store is
// away. test/throttle/counters.test.ts holds all three to it.

/** One counter. It ends `windowMs` after its first count, and then begins anew. */
export interface Counter {
  /** Counters of one group live side by side: in Redis in one Cluster slot. */
  readonly group: string
  readonly name: string
  readonly windowMs: number
}

/** Where a counter stands. */
export interface Tally {
  readonly count: number
  /** In how many ms it ends; 0 for one that has no count. */
  readonly leftMs: number
}

/** Short, because a login waits twice for counters and afterwards still has to make its family. */
export const COUNTERS_DEADLINE_MS = 500

/**
 * Each method is atomic a counter and one round trip for all of them, and answers in their order.
 * Rejects with DependencyUnavailable.
 */
export interface Counters {
  read(counters: readonly Counter[], nowMs: number): Promise<readonly Tally[]>
  /** Adds one to each, and says where they stand after that. */
  add(counters: readonly Counter[], nowMs: number): Promise<readonly Tally[]>
  /** Makes each of them 1 and begins its window now. */
  mark(counters: readonly Counter[], nowMs: number): Promise<void>
}
