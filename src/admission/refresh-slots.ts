// Refreshes begin at once, unless very many are under way: each holds memory, and all of those whose
// answers of the store arrive together are finished in one turn of the event loop.

import type { ClassLine, Work } from './class-line.ts'

/** Far more than keep one core busy, even if the store is slow. */
export const REFRESHES_MAX = 128
/** How often it is looked whether one has waited too long: a store that hangs gives no occasion. */
const EXPIRY_MS = 10

export interface RefreshSlots {
  run<T>(work: Work<T>): Promise<T>
  /** How many have begun and have not ended. */
  underway(): number
}

export function openRefreshSlots(line: ClassLine): RefreshSlots {
  let underway = 0
  let isExpiryAsked = false

  async function begin<T>(work: () => Promise<T>): Promise<T> {
    underway += 1
    try {
      return await work()
    } finally {
      underway -= 1
      if (line.size() > 0) line.beginNext()
    }
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
    underway: () => underway,
  }
}
