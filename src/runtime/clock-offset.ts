// What is known of somebody else's clock: how far it is from our monotonic one, which nobody sets.
// A reading only says that its moment lay between asking and hearing the answer.

/** How far two clocks may drift apart in a millisecond: more than real clocks do. */
const DRIFT = 0.001

/** What must be added to `performance.now()` to get the other clock, as known at `atMs`. */
export interface ClockOffset {
  readonly atMs: number
  readonly lowMs: number
  readonly highMs: number
}

/**
 * From one reading: the other clock said `otherMs`, rounded down, between these two moments of
 * ours.
 */
export function readOffset(otherMs: number, askedAtMs: number, answeredAtMs: number): ClockOffset {
  return { atMs: answeredAtMs, lowMs: otherMs - answeredAtMs, highMs: otherMs + 1 - askedAtMs }
}

/** The latest that the other clock can say at a moment of ours, however the two have drifted. */
export function latestBy({ atMs, highMs }: ClockOffset, ownMs: number): number {
  return ownMs + highMs + Math.max(0, ownMs - atMs) * DRIFT
}

/** What both readings allow; the newer one alone when they contradict, as after a set clock. */
export function narrowOffset(known: ClockOffset | undefined, read: ClockOffset): ClockOffset {
  if (!known) return read
  const driftMs = (read.atMs - known.atMs) * DRIFT
  const lowMs = Math.max(known.lowMs - driftMs, read.lowMs)
  const highMs = Math.min(known.highMs + driftMs, read.highMs)
  return lowMs <= highMs ? { atMs: read.atMs, lowMs, highMs } : read
}
