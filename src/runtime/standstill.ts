// Whether this process stood still a moment ago: stopped by somebody, frozen with its container,
// suspended with its machine. What it reads next may have been sent long before.

import { monotonicClock, systemClock } from './clock.ts'

const BEAT_MS = 250
/** Beyond what work of ours, or a busy machine, makes anybody wait. */
const STANDSTILL_MS = 1_000
/** How long it takes to read what has piled up meanwhile. */
const AFTERMATH_MS = 1_000

export interface Standstill {
  wasOfLate(): boolean
  close(): void
}

export function watchStandstill(): Standstill {
  // The monotonic clock stands still with a machine that is suspended; the other may be set, which
  // does no more than look like a standstill.
  const clocks = [monotonicClock, systemClock]
  let beats = clocks.map((clock) => clock())
  let endedAtMs = Number.NEGATIVE_INFINITY

  function beat(): void {
    const before = beats
    beats = clocks.map((clock) => clock())
    const gaps = beats.map((atMs, index) => atMs - (before[index] ?? atMs))
    if (Math.max(...gaps) >= STANDSTILL_MS) endedAtMs = monotonicClock()
  }

  const timer = setInterval(beat, BEAT_MS).unref()
  return {
    wasOfLate() {
      // A request may be read before any timer has had its turn.
      beat()
      return monotonicClock() - endedAtMs < AFTERMATH_MS
    },
    close: () => clearInterval(timer),
  }
}
