// How far a reader has come in the journal. Rows become visible when they are committed, a little
// after their own time, so the next read overlaps the last one and meets some entries again.

import type { Clock } from '../runtime/clock.ts'
import type { JournalEntry } from './journal.ts'

/** Longer than any transaction that writes an entry. */
export const JOURNAL_OVERLAP_MS = 60 * 1000

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
  /** Those that the next read meets again, in the order in which they were added. */
  const met = new Map<bigint, number>()
  let upToMs = startMs

  const pass = ({ atMs }: JournalEntry) => {
    upToMs = Math.max(upToMs, atMs)
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
      for (const [oldId, oldAtMs] of met) {
        if (oldAtMs >= upToMs - JOURNAL_OVERLAP_MS) break
        met.delete(oldId)
      }
    },

    restart(fromMs) {
      met.clear()
      upToMs = fromMs
    },
  }
}
