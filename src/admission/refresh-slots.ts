// Refreshes begin at once, unless very many are under way: each holds memory, and all of those whose
// answers of the store arrive together are finished in one turn of the event loop.

import type { Clock } from '../runtime/clock.ts'
import type { ClassLine, Work } from './class-line.ts'

/**
 * Far more than keep one core busy, even if the store is slow. Those that come back from where they stepped aside
 * may be more: how many wait for one outside server is bounded where they wait (remote-keys.ts).
 */
export const REFRESHES_MAX = 128
/** How often it is looked whether one has waited too long: a store that hangs gives no occasion. */
const EXPIRY_MS = 10

export interface RefreshSlots {
  run<T>(work: Work<T>): Promise<T>
  /**
   * Waits, within work that was begun, for what is not ours to answer. Its place is another one's meanwhile;
   * afterwards it goes on at once, though all may be taken.
   */
  stepAside<T>(waiting: Promise<T>): Promise<T>
  /** How many have begun, have not ended and have not stepped aside. */
  underway(): number
  /** When the last one was begun; undefined before the first. */
  lastBegunAtMs(): number | undefined
}

export function openRefreshSlots(line: ClassLine, clock: Clock): RefreshSlots {
  let underway = 0
  let begunAtMs: number | undefined
  let isExpiryAsked = false

  async function begin<T>(work: () => Promise<T>): Promise<T> {
    underway += 1
    begunAtMs = clock()
    try {
      return await work()
    } finally {
      leave()
    }
  }

  function leave(): void {
    underway -= 1
    if (underway < REFRESHES_MAX && line.size() > 0) line.beginNext()
  }

  function askForExpiry(): void {
    if (isExpiryAsked) return
    isExpiryAsked = true
    setTimeout(() => {
      isExpiryAsked = false
      line.expire()
      if (line.size() > 0) askForExpiry()
    }, EXPIRY_MS)
  }

  return {
    run(work) {
      if (underway < REFRESHES_MAX) return begin(work.begin)
      askForExpiry()
      return line.wait({ ...work, begin: () => begin(work.begin) })
    },
    async stepAside(waiting) {
      leave()
      try {
        return await waiting
      } finally {
        underway += 1
      }
    },
    underway: () => underway,
    lastBegunAtMs: () => begunAtMs,
  }
}
