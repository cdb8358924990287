// Applies to families in PostgreSQL the entries of the journal that may not have reached them,
// because the instance that wrote them died before. Applying one again is harmless, so some are
// read twice.

import type { Clock } from '../runtime/clock.ts'
import type { FamilyStore } from './family-store.ts'
import { applyJournalPayload, type Journal } from './journal.ts'
import { openSeenEntries } from './seen-entries.ts'

/** How far back the journal is read at a start. */
const JOURNAL_REPLAY_MS = 15 * 60 * 1000

/**
 * Gives the call that applies every entry since the last call that succeeded, the last 15 minutes
 * at first.
 */
export function openJournalReader(
  journal: Pick<Journal, 'readSince'>,
  store: Pick<FamilyStore, 'end' | 'putUser' | 'revokeToken'>,
  clock: Clock,
): () => Promise<void> {
  // Families and journal are in one database here, so a login in the journal is never a lost one.
  const target = { ...store, restore: async () => {} }
  const seen = openSeenEntries(clock() - JOURNAL_REPLAY_MS, clock)

  return async function applyNewEntries() {
    for await (const page of journal.readSince(seen.readFromMs())) {
      for (const entry of page) {
        if (seen.has(entry)) continue
        await applyJournalPayload(entry.payload, target, clock())
        seen.add(entry)
      }
    }
  }
}
