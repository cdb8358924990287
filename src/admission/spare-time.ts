// How much of the event loop others than refreshes may have: while it works for more than a share of the time,
// whoever it works for, nobody else is begun. The rest is for what comes unevenly, and for those who need the same
// cores: the store that each refresh waits for, and the threads that hash.

import { performance } from 'node:perf_hooks'
import type { Clock } from '../runtime/clock.ts'

/** For how much of the time the event loop may work before others have to wait. */
const WORKING_SHARE = 0.7
/** What was left unused is there for a burst, and what was too much is made up for; both end somewhere. */
const CREDIT_MAX_MS = 5
const DEBT_MAX_MS = 20

export interface SpareTimeOptions {
  /** For how long the event loop has worked since it began, in milliseconds. */
  readonly worked: () => number
  readonly clock: Clock
}

/** Returns whether there is time for somebody else than refreshes. */
export function openSpareTime({ worked, clock }: SpareTimeOptions): () => boolean {
  let creditMs = CREDIT_MAX_MS
  let last = { nowMs: clock(), workedMs: worked() }
  return () => {
    const now = { nowMs: clock(), workedMs: worked() }
    creditMs += (now.nowMs - last.nowMs) * WORKING_SHARE - (now.workedMs - last.workedMs)
    creditMs = Math.min(Math.max(creditMs, -DEBT_MAX_MS), CREDIT_MAX_MS)
    last = now
    return creditMs > 0
  }
}

/** Of this process, as `worked`. */
export function workedMs(): number {
  return performance.eventLoopUtilization().active
}
