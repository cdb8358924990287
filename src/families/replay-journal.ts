// The ends of families whose refresh token was replayed, on their way to the journal. The store has ended them
// already; the journal guards that against a failover which loses it. Nobody waits for it, so that a replay takes no
// longer to refuse than any other bad token; what PostgreSQL has missed is kept here and told again.

import { DependencyUnavailable } from '../runtime/dependency-unavailable.ts'
import type { Family, FamilyId } from './family.ts'
import { JOURNAL_SLACK_MS, type Journal, type JournalPayload } from './journal.ts'

/** So many are kept; after that the oldest is given up, whose token still ends the family if it is used again. */
const MISSED_MAX = 10_000

export interface ReplayJournal {
  /** Begins to journal the end. */
  add(family: Family, nowMs: number): void
  /** Journals what was missed, one after the other, until PostgreSQL is away again. */
  addMissed(): Promise<void>
}

interface Entry {
  readonly payload: JournalPayload
  readonly keepUntilMs: number
}

export function openReplayJournal(journal: Pick<Journal, 'append'>): ReplayJournal {
  const missed = new Map<FamilyId, Entry>()

  function keep(familyId: FamilyId, entry: Entry): void {
    const [oldest] = missed.keys()
    if (missed.size >= MISSED_MAX && oldest !== undefined) missed.delete(oldest)
    missed.set(familyId, entry)
  }

  return {
    add({ userId, familyId, absoluteExpiresAtMs }, nowMs) {
      const end = { userId, familyId, reason: 'reuse_detected', atMs: nowMs } as const
      const keepUntilMs = absoluteExpiresAtMs + JOURNAL_SLACK_MS
      const entry: Entry = { payload: { kind: 'family', end }, keepUntilMs }
      journal.append(entry.payload, keepUntilMs).catch((error: unknown) => {
        if (error instanceof DependencyUnavailable) keep(familyId, entry)
      })
    },

    async addMissed() {
      for (const [familyId, { payload, keepUntilMs }] of missed) {
        try {
          await journal.append(payload, keepUntilMs)
        } catch (error) {
          // One that is refused would be in the way of all others.
          if (!(error instanceof DependencyUnavailable)) missed.delete(familyId)
          throw error
        }
        missed.delete(familyId)
      }
    },
  }
}
