// How far a reader has come in the journal. Rows become visible when they are committed, a little
// after their own time, so the next read overlaps the last one and meets some entries again.

import type { Clock } from '../runtime/clock.ts'
import type { JournalEntry } from './journal.ts'

/** Longer than any transaction that writes an entry. */
export const JOURNAL_OVERLAP_MS = 60 * 1000

const FORGET_AT_SIZE = 1_000

export interface SeenEntries {
  /** The time of the youngest entry, by the journal's clock. */
  readonly upToMs: number
  /** From when to read, so that no entry is missed. */
  readFromMs(): number
  has(entry: JournalEntry): boolean
  add(entry: JournalEntry): void
  /** Reads on from here, though the entry is met again within the overlap. */
  pass(entry: JournalEntry): void
  /** As if nothing younger than `upToMs` had been seen. */
  restart(upToMs: number): void
}

export function openSeenEntries(startMs: number, clock: Clock): SeenEntries {
  /** Those that the next read meets again. */
  const met = new Map<bigint, number>()
  let upToMs = startMs
  let forgetAtSize = FORGET_AT_SIZE

  const pass = ({ atMs }: JournalEntry) => {
    upToMs = Math.max(upToMs, atMs)
  }

  /** Now and then, because what was deleted from the front of a Map is passed over each time. */
  function forget(): void {
    for (const [id, atMs] of met) {
      if (atMs < upToMs - JOURNAL_OVERLAP_MS) met.delete(id)
    }
    forgetAtSize = Math.max(FORGET_AT_SIZE, 2 * met.size)
  }

  return {
    get upToMs() {
      return upToMs
    },

    // The lesser of two clocks, ours and the journal's, so that neither can cut the window.
    readFromMs: () => Math.max(0, Math.min(clock(), upToMs) - JOURNAL_OVERLAP_MS),
    has: ({ id }) => met.has(id),

    pass,

    add(entry) {
      met.set(entry.id, entry.atMs)
      pass(entry)
      if (met.size >= forgetAtSize) forget()
    },

    restart(fromMs) {
      met.clear()
      forgetAtSize = FORGET_AT_SIZE
      upToMs = fromMs
    },
  }
}
