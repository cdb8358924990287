// Time and chance as the client knows them, so that a test can hand them in.

import { setTimeout as sleep } from 'node:timers/promises'

export interface ClientClock {
  nowMs(): number
  /** Rejects with the signal's reason when it is aborted. */
  sleep(ms: number, signal?: AbortSignal): Promise<void>
  /** From 0 up to 1. */
  random(): number
}

/** By distance, so that a clock set back makes no pause longer than twice its length. */
export function isWithin(clock: ClientClock, atMs: number, lengthMs: number): boolean {
  return Math.abs(clock.nowMs() - atMs) < lengthMs
}

export const SYSTEM_CLOCK: ClientClock = {
  nowMs: () => Date.now(),
  async sleep(ms, signal) {
    try {
      await sleep(ms, undefined, signal ? { signal } : {})
    } catch (error) {
      throw signal?.aborted ? signal.reason : error
    }
  },
  random: () => Math.random(),
}
