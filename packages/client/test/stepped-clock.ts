// A clock that stands until it is moved; a sleep moves it, and is remembered.

import type { ClientClock } from '../src/client-clock.ts'

export interface SteppedClock extends ClientClock {
  step(ms: number): void
  readonly slept: readonly number[]
}

export function createSteppedClock(random = 0): SteppedClock {
  let nowMs = Date.now()
  const slept: number[] = []
  return {
    slept,
    nowMs: () => nowMs,
    random: () => random,
    step(ms) {
      nowMs += ms
    },
    async sleep(ms, signal) {
      signal?.throwIfAborted()
      slept.push(ms)
      nowMs += ms
    },
  }
}
