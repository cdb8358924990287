// How soon a worker that ended is started again: at once, unless those of its number end young again
// and again.

import { type Clock, monotonicClock } from '../runtime/clock.ts'

/** Whoever ends within this time of its start counts as one that cannot run. */
const YOUNG_MS = 30_000
const PAUSE_MS = 500
const PAUSE_MAX_MS = 30_000

export interface RestartPauses {
  /** The pause in milliseconds before the next one of that number, told at the end of one. */
  next(number: number, startedAtMs: number): number
}

export function openRestartPauses(clock: Clock = monotonicClock): RestartPauses {
  const youngEnds = new Map<number, number>()
  return {
    next(number, startedAtMs) {
      const isYoung = clock() - startedAtMs < YOUNG_MS
      const count = isYoung ? (youngEnds.get(number) ?? 0) + 1 : 0
      youngEnds.set(number, count)
      return count === 0 ? 0 : Math.min(PAUSE_MS * 2 ** (count - 1), PAUSE_MAX_MS)
    },
  }
}
