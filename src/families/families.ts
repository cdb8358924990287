// Families as the rest of the service uses them: the store, the journal before it, and the one
// reload of a user's record when the store's copy is missing or behind (DESIGN §5).

import type { Clock } from '../runtime/clock.ts'
import { withDeadline } from '../runtime/deadline.ts'
import { DependencyUnavailable } from '../runtime/dependency-unavailable.ts'
import type { UserId, UserRecord } from '../users/user.ts'
import type {
  CreateFamily,
  CreateOutcome,
  EndFamily,
  EndOutcome,
  FamilyList,
  FamilyStore,
  Inspect,
  Inspection,
  RevokedToken,
  RotateFamily,
  RotateOutcome,
} from './family.ts'
import { isUserStale } from './family-rules.ts'
import { applyJournalPayload, type Journal, type JournalPayload } from './journal.ts'

/** The journal and the store, one after the other, when both are slow to fail (DESIGN §12). */
const REVOKE_DEADLINE_MS = 1_900

export interface Families {
  create(input: CreateFamily): Promise<CreateOutcome>
  /** Never `user_stale`: that is resolved here. */
  rotate(input: RotateFamily): Promise<Exclude<RotateOutcome, { outcome: 'user_stale' }>>
  inspect(input: Inspect): Promise<Inspection>
  list(userId: UserId): Promise<FamilyList>
  /**
   * Journals, then ends the family. With PostgreSQL away the store still ends it, and the call
   * rejects so that the caller repeats it.
   */
  end(input: EndFamily): Promise<EndOutcome>
  /** Journals, then remembers the token until it expires; rejects as `end` does. */
  revokeToken(token: RevokedToken): Promise<void>
  /** Carries a user's change, which its transaction has journalled already, to the store. */
  publishUser(record: UserRecord): Promise<void>
}

export interface FamiliesDependencies {
  readonly store: FamilyStore
  readonly journal: Journal
  /** The record as PostgreSQL has it; undefined for an id that never was. */
  readonly loadUser: (userId: UserId) => Promise<UserRecord | undefined>
  readonly clock: Clock
}

export function openFamilies(dependencies: FamiliesDependencies): Families {
  const { store, journal, loadUser, clock } = dependencies

  async function reloadUser(userId: UserId): Promise<void> {
    const record = await loadUser(userId)
    if (record) await store.putUser(record)
  }

  async function journalThenApply(payload: JournalPayload): Promise<EndOutcome | undefined> {
    const journalled = await Promise.allSettled([journal.append(payload)])
    const outcome = await applyJournalPayload(payload, store, clock())
    if (journalled[0].status === 'rejected') throw journalled[0].reason
    return outcome
  }

  return {
    create: (input) => store.create(input),

    async rotate(input) {
      let outcome = await store.rotate(input)
      if (outcome.outcome === 'user_stale') {
        await reloadUser(input.userId)
        outcome = await store.rotate(input)
      }
      // PostgreSQL itself is behind the family (a restored backup) or has no such user.
      if (outcome.outcome === 'user_stale') return { outcome: 'inactive', reason: 'user_inactive' }
      if (outcome.outcome === 'replayed') journalReplay(input, journal, clock())
      return outcome
    },

    async inspect(input) {
      const inspection = await store.inspect(input)
      const { family, user } = inspection
      if (!family || !isUserStale(user, family)) return inspection
      await reloadUser(family.userId)
      return await store.inspect(input)
    },

    async list(userId) {
      const found = await store.list(userId)
      if (!found.families.some((family) => isUserStale(found.user, family))) return found
      await reloadUser(userId)
      return await store.list(userId)
    },

    async end(input) {
      const outcome = await bounded(journalThenApply({ kind: 'family', end: input }))
      return outcome ?? 'unknown'
    },

    async revokeToken(token) {
      await bounded(journalThenApply({ kind: 'token', token }))
    },

    publishUser: (record) => store.putUser(record),
  }
}

/**
 * The store has ended the family already; this guards the end against a failover that loses it.
 * Nobody waits for it, so that a replay takes no longer to refuse than any other bad token.
 */
function journalReplay(input: RotateFamily, journal: Journal, nowMs: number): void {
  const { userId, familyId } = input
  const end = { userId, familyId, reason: 'reuse_detected', atMs: nowMs } as const
  journal.append({ kind: 'family', end }).catch(() => {})
}

function bounded<T>(work: Promise<T>): Promise<T> {
  return withDeadline(
    work,
    REVOKE_DEADLINE_MS,
    () => new DependencyUnavailable('postgresql', 'deadline exceeded'),
  )
}
