// How far a reader has come in the journal. A row becomes visible when it is committed, a little
// later than its own time says; so each read overlaps the one before, and entries seen twice are
// skipped.

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
  /** Moves on past the entry without remembering it: the next read may give it once more. */
  pass(entry: JournalEntry): void
  /** As if nothing younger than `upToMs` had been seen. */
  restart(upToMs: number): void
}

export function openSeenEntries(startMs: number, clock: Clock): SeenEntries {
  /** Ids and times of entries that the next read may give again. */
  const met = new Map<bigint, number>()
  let upToMs = startMs
  let forgetAtSize = FORGET_AT_SIZE

  const pass = ({ atMs }: JournalEntry) => {
    upToMs = Math.max(upToMs, atMs)
  }

  /** Not at each entry: a Map gets slow when entries are deleted from its front one by one. */
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

    // By our clock or the journal's, whichever is behind, so that no difference between them skips
    // any.
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
