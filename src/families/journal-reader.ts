// Carries to families in PostgreSQL what stands in the journal and may not have reached them: the
// instance that wrote an entry died first. Applying one again is harmless, so it reads generously.

import type { Clock } from '../runtime/clock.ts'
import type { FamilyStore } from './family.ts'
import { applyJournalPayload, type Journal } from './journal.ts'
import { openSeenEntries } from './seen-entries.ts'

/** What a store may have lost, and what was journalled before we looked. */
export const JOURNAL_REPLAY_MS = 15 * 60 * 1000

export interface JournalReader {
  /** Applies every entry since the last call that succeeded, the last 15 minutes at first. */
  applyNewEntries(): Promise<void>
}

export function openJournalReader(
  journal: Pick<Journal, 'readSince'>,
  store: Pick<FamilyStore, 'end' | 'putUser' | 'revokeToken'>,
  clock: Clock,
): JournalReader {
  // A family in PostgreSQL lies beside the journal: what one has kept, the other has too.
  const target = { ...store, restore: async () => {} }
  const seen = openSeenEntries(clock() - JOURNAL_REPLAY_MS, clock)

  return {
    async applyNewEntries() {
      for await (const page of journal.readSince(seen.readFromMs())) {
        for (const entry of page) {
          if (seen.has(entry)) continue
          await applyJournalPayload(entry.payload, target, clock())
          seen.add(entry)
        }
      }
    },
  }
}
