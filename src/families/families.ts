// Families as the rest of the service uses them. Writes the journal before the store, and mends
// what the store lacks: loads a user's record that is missing or behind, restores a family that it
// lost.

import type { Clock } from '../runtime/clock.ts'
import { withDeadline } from '../runtime/deadline.ts'
import { DependencyUnavailable } from '../runtime/dependency-unavailable.ts'
import type { UserId, UserRecord } from '../users/user.ts'
import type {
  CreateFamily,
  CreateOutcome,
  Inspect,
  Inspection,
  RotateFamily,
  RotateOutcome,
} from './family.ts'
import { type FamilyEnding, openFamilyEnding } from './family-ending.ts'
import type { FamilyIndex } from './family-index.ts'
import { isUserStale } from './family-rules.ts'
import type { FamilyStore } from './family-store.ts'
import type { Journal } from './journal.ts'
import { openLostFamilies } from './lost-families.ts'
import { openReplayJournal } from './replay-journal.ts'

/** For journal and store one after the other; no request waits over 2 s (docs/semantics.md §12). */
const REVOKE_DEADLINE_MS = 1_900

/**
 * For how long a lost login can be restored: longer than it takes to notice any failover. A store
 * that has lost older logins too was itself restored from a backup.
 */
const LOGIN_KEPT_MS = 15 * 60 * 1000

/** `end` and `revokeToken` wait within a deadline for journal and store together. */
export interface Families extends FamilyEnding {
  /** Journals the login where the store may lose it, then makes the family. */
  create(input: CreateFamily): Promise<CreateOutcome>
  /** Never `user_stale`: that is resolved here. */
  rotate(input: RotateFamily): Promise<Exclude<RotateOutcome, { outcome: 'user_stale' }>>
  inspect(input: Inspect): Promise<Inspection>
  /**
   * What a list of the user's sessions is made from: live families, and ids for `read` of the
   * others.
   */
  index(userId: UserId): Promise<FamilyIndex>
  read: FamilyStore['read']
  /** Journals the ends of replayed families that PostgreSQL has missed; rejects while it is away. */
  journalMissedReplays(): Promise<void>
}

export interface FamiliesDependencies {
  readonly store: FamilyStore
  readonly journal: Journal
  /** The record as PostgreSQL has it; undefined for an id that never was. */
  readonly loadUser: (userId: UserId) => Promise<UserRecord | undefined>
  readonly clock: Clock
  /** Told how many families a login has ended, because there were too many beside it. */
  readonly onDisplaced?: (count: number) => void
}

export function openFamilies(dependencies: FamiliesDependencies): Families {
  const { store, journal, loadUser, clock, onDisplaced = () => {} } = dependencies
  const restoreLost = openLostFamilies(store, journal, reloadUser)
  const replays = openReplayJournal(journal)
  const ending = openFamilyEnding({ store, journal, inspect: inspectFound, clock })

  async function reloadUser(userId: UserId): Promise<void> {
    const record = await loadUser(userId)
    if (record) await store.putUser(record)
  }

  async function inspectFound(input: Inspect): Promise<Inspection> {
    const inspection = await store.inspect(input)
    if (inspection.family || input.familyId === undefined) return inspection
    return (await restoreLost(input.familyId)) ? await store.inspect(input) : inspection
  }

  /** Before the family exists, so that the journal never has an end before the login. */
  async function journalLogin(input: CreateFamily): Promise<void> {
    const keepUntilMs = Math.min(clock() + LOGIN_KEPT_MS, input.family.absoluteExpiresAtMs)
    await journal.append({ kind: 'created', login: input }, keepUntilMs)
  }

  async function createInStore(input: CreateFamily): Promise<CreateOutcome> {
    const created = await store.create(input)
    if (created.outcome === 'created' && created.displaced > 0) onDisplaced(created.displaced)
    return created
  }

  return {
    async create(input) {
      if (store.name === 'postgresql') return await createInStore(input)
      await journalLogin(input)
      let isMade = false
      try {
        const created = await createInStore(input)
        isMade = created.outcome === 'created'
        return created
      } finally {
        if (!isMade) journal.retractLogin(input.family.familyId).catch(() => {})
      }
    },

    async rotate(input) {
      let outcome = await store.rotate(input)
      if (isUnknown(outcome) && (await restoreLost(input.familyId))) {
        outcome = await store.rotate(input)
      }
      if (outcome.outcome === 'user_stale') {
        await reloadUser(input.userId)
        outcome = await store.rotate(input)
      }
      // PostgreSQL itself is behind the family (a restored backup) or has no such user.
      if (outcome.outcome === 'user_stale') return { outcome: 'inactive', reason: 'user_inactive' }
      if (outcome.outcome === 'replayed') replays.add(outcome.family, clock())
      return outcome
    },

    async inspect(input) {
      const inspection = await inspectFound(input)
      const { family, user } = inspection
      if (!family || !isUserStale(user, family)) return inspection
      await reloadUser(family.userId)
      return await store.inspect(input)
    },

    async index(userId) {
      const found = await store.index(userId)
      const { user, live, ended } = found
      const isUserMissing = user === undefined && ended.length > 0
      if (!isUserMissing && !live.some((family) => isUserStale(user, family))) return found
      await reloadUser(userId)
      return await store.index(userId)
    },

    journalMissedReplays: replays.addMissed,
    read: (userId, familyIds) => store.read(userId, familyIds),
    end: (input) => withRevokeDeadline(ending.end(input)),
    revokeToken: (token) => withRevokeDeadline(ending.revokeToken(token)),
  }
}

function isUnknown(outcome: RotateOutcome): boolean {
  return outcome.outcome === 'inactive' && outcome.reason === 'family_unknown'
}

function withRevokeDeadline<T>(work: Promise<T>): Promise<T> {
  return withDeadline(
    work,
    REVOKE_DEADLINE_MS,
    () => new DependencyUnavailable('postgresql', 'deadline exceeded'),
  )
}
