// Carries to a store what stands in the journal and may not have reached it: the instance that
// wrote an entry died first. Applying one again is harmless, so it reads generously.

import type { Clock } from '../runtime/clock.ts'
import type { FamilyStore } from './family.ts'
import { applyJournalPayload, type Journal } from './journal.ts'

/** What a store may have lost, and what was journalled before we looked (DESIGN §5). */
export const JOURNAL_REPLAY_MS = 15 * 60 * 1000
/** Rows become visible when they are committed, a little after their own time. */
export const JOURNAL_OVERLAP_MS = 60 * 1000

export interface JournalReader {
  /** Applies every entry since the last call that succeeded, the last 15 minutes at first. */
  applyNewEntries(): Promise<void>
}

export function openJournalReader(
  journal: Pick<Journal, 'readSince'>,
  store: Pick<FamilyStore, 'end' | 'putUser' | 'revokeToken'>,
  clock: Clock,
): JournalReader {
  let sinceMs = clock() - JOURNAL_REPLAY_MS
  /** Within the overlap an entry is met again at each call; once is enough. */
  let applied: ReadonlySet<bigint> = new Set()

  return {
    async applyNewEntries() {
      const entries = await journal.readSince(sinceMs)
      for (const { id, payload } of entries) {
        if (!applied.has(id)) await applyJournalPayload(payload, store, clock())
      }
      const newest = entries.at(-1)
      if (!newest) return
      sinceMs = Math.max(sinceMs, newest.atMs - JOURNAL_OVERLAP_MS)
      applied = new Set(entries.filter(({ atMs }) => atMs >= sinceMs).map(({ id }) => id))
    },
  }
}
