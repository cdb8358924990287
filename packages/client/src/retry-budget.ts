// How often a request is made again. However many callers wait and however long a server is away, a client
// adds little to its load: few attempts a request, and few of them in any minute.

import type { ClientClock } from './client-clock.ts'
import { isPassing, retryAfterOf } from './client-errors.ts'

const ATTEMPTS = 3
/** Of a whole request, all attempts together. */
const DEADLINE_MS = 20_000
/** Whoever asks to be left alone for longer is left alone, and the caller is told at once. */
const LONGEST_WAIT_MS = 5_000
const FIRST_WAIT_MS = 100
const BUDGET = 10
/** One more attempt is earned in this time. */
const EARNED_EVERY_MS = 6_000

export interface RetryBudget {
  /** Throws what the last attempt threw, and the reason of `signal`. */
  run<T>(attempt: () => Promise<T>, signal?: AbortSignal): Promise<T>
}

export function createRetryBudget(clock: ClientClock): RetryBudget {
  let left = BUDGET
  let countedAtMs = clock.nowMs()

  /** Whether there was one. */
  function spend(): boolean {
    const nowMs = clock.nowMs()
    left = Math.min(BUDGET, left + Math.max(0, nowMs - countedAtMs) / EARNED_EVERY_MS)
    countedAtMs = nowMs
    if (left < 1) return false
    left -= 1
    return true
  }

  return {
    async run(attempt, signal) {
      const startedAtMs = clock.nowMs()
      for (let number = 1; ; number += 1) {
        try {
          return await attempt()
        } catch (error) {
          if (signal?.aborted || number === ATTEMPTS || !isPassing(error)) throw error
          const waitMs = waitBefore(number, retryAfterOf(error), clock.random())
          const endsAtMs = startedAtMs + DEADLINE_MS
          if (waitMs > LONGEST_WAIT_MS || clock.nowMs() + waitMs > endsAtMs) throw error
          if (!spend()) throw error
          await clock.sleep(waitMs, signal)
        }
      }
    },
  }
}

/** Spread, so that clients that failed together do not come back together; never before Retry-After. */
function waitBefore(number: number, retryAfterSeconds: number | undefined, random: number): number {
  const ownMs = FIRST_WAIT_MS * 2 ** (number - 1)
  if (retryAfterSeconds === undefined) return ownMs * (0.5 + random)
  return retryAfterSeconds * 1000 + ownMs * random
}
