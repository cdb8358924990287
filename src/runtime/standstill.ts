// Whether this process stood still a moment ago: stopped by somebody, frozen with its container,
// suspended with its machine. What it reads next may have been sent long before.

import { monotonicClock, systemClock } from './clock.ts'

const BEAT_MS = 250
/** Longer than the event loop is ever held by our own work or by a busy machine. */
const STANDSTILL_MS = 1_000
/** How long after a standstill requests may still be read that were sent during it. */
const AFTERMATH_MS = 1_000

export interface Standstill {
  wasRecent(): boolean
  close(): void
}

export function watchStandstill(): Standstill {
  // The monotonic clock stops while a machine is suspended, the other does not. If somebody sets
  // the other clock, that only looks like a standstill.
  let monotonicMs = monotonicClock()
  let systemMs = systemClock()
  let endedAtMs = Number.NEGATIVE_INFINITY

  function beat(): void {
    const [beforeMs, systemBeforeMs] = [monotonicMs, systemMs]
    monotonicMs = monotonicClock()
    systemMs = systemClock()
    const gapMs = Math.max(monotonicMs - beforeMs, systemMs - systemBeforeMs)
    if (gapMs >= STANDSTILL_MS) endedAtMs = monotonicMs
  }

  const timer = setInterval(beat, BEAT_MS).unref()
  return {
    wasRecent() {
      // A request may be read before the timer has run.
      beat()
      return monotonicMs - endedAtMs < AFTERMATH_MS
    },
    close: () => clearInterval(timer),
  }
}
