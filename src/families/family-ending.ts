// How a family or a single token is ended. The store is asked first, because only what changes
// something is journalled; then the journal is written, then the store. A family that has ended in
// the store but not in the journal is journalled now: the call repeats one that PostgreSQL missed.

import type { Clock } from '../runtime/clock.ts'
import { DependencyUnavailable } from '../runtime/dependency-unavailable.ts'
import type { EndFamily, EndOutcome, Family, Inspect, Inspection, RevokedToken } from './family.ts'
import { findInactiveReason, isUserStale } from './family-rules.ts'
import type { FamilyStore } from './family-store.ts'
import { JOURNAL_SLACK_MS, type Journal } from './journal.ts'
import { isSameSecretHash } from './refresh-token-string.ts'

export interface FamilyEnding {
  /**
   * Journals what changes something, then ends the family. `ended` also where the store had ended it
   * for the same reason and the journal did not know. With PostgreSQL away the store still ends it,
   * and the call rejects so that the caller repeats it.
   */
  end(input: EndFamily): Promise<EndOutcome>
  /**
   * Journals, then remembers the token until it expires; rejects as `end` does. Says whether the
   * token was valid until now.
   */
  revokeToken(token: RevokedToken): Promise<boolean>
}

export interface FamilyEndingDependencies {
  readonly store: Pick<FamilyStore, 'end' | 'revokeToken'>
  /** Also finds a family that the store has lost and the journal can restore. */
  readonly inspect: (input: Inspect) => Promise<Inspection>
  readonly journal: Pick<Journal, 'append'>
  readonly clock: Clock
}

export function openFamilyEnding(dependencies: FamilyEndingDependencies): FamilyEnding {
  const { store, journal, inspect, clock } = dependencies

  /** Undefined when a store that is away, or whose gate is closed, cannot be asked. */
  async function inspectIfPossible(input: Inspect): Promise<Inspection | undefined> {
    try {
      return await inspect(input)
    } catch (error) {
      if (error instanceof DependencyUnavailable) return undefined
      throw error
    }
  }

  /** Ends it in the store even where the journal failed, and then rejects with that failure. */
  async function journalThen<T>(journalled: Promise<boolean>, apply: () => Promise<T>): Promise<T> {
    const [result] = await Promise.allSettled([journalled])
    const outcome = await apply()
    if (result.status === 'rejected') throw result.reason
    return outcome
  }

  /** Without `clientId` and `secretHash`: they were compared before, and need no second check. */
  function journalEnd(family: Family, { reason, atMs }: NonNullable<Family['ended']>) {
    const { userId, familyId, absoluteExpiresAtMs } = family
    const payload = { kind: 'family', end: { userId, familyId, reason, atMs } } as const
    return journal.append(payload, absoluteExpiresAtMs + JOURNAL_SLACK_MS)
  }

  return {
    async end(input) {
      const { userId, familyId, clientId, secretHash, reason, atMs } = input
      const found = await inspectIfPossible({ owner: { userId }, familyId })
      if (!found) {
        const journalled = journal.append({ kind: 'family', end: input })
        return await journalThen(journalled, () => store.end(input))
      }
      const { family, user } = found
      // Told to the store all the same: somebody may be about to make it again (lost-families.ts).
      if (!family) return await store.end(input)
      const isSecretWrong =
        secretHash !== undefined && !isSameSecretHash(family.secretHash, secretHash)
      if (isSecretWrong) return 'secret_wrong'
      if (clientId !== undefined && family.clientId !== clientId) return 'other_client'
      const nowMs = clock()
      if (nowMs >= family.absoluteExpiresAtMs) return 'already_ended'
      if (family.ended) {
        const isNews = await journalEnd(family, family.ended)
        // A store that was emptied since may have been given the login again, of which the journal still
        // told.
        await store.end({ userId, familyId, ...family.ended })
        return isNews && family.ended.reason === reason ? 'ended' : 'already_ended'
      }
      if (nowMs >= family.idleExpiresAtMs) return 'already_ended'
      const isUserCurrent = user !== undefined && !isUserStale(user, family)
      if (isUserCurrent && findInactiveReason(family, user, nowMs, 0)) return 'already_ended'
      const journalled = journalEnd(family, { reason, atMs })
      return await journalThen(journalled, () => store.end(input))
    },

    async revokeToken(token) {
      const { owner, jti, expiresAtMs } = token
      if (expiresAtMs <= clock()) return false
      const found = await inspectIfPossible({ owner, jti })
      const journalled = journal.append({ kind: 'token', token }, expiresAtMs + JOURNAL_SLACK_MS)
      if (found?.tokenRevoked) return await journalled
      await journalThen(journalled, () => store.revokeToken(token, clock()))
      return true
    },
  }
}
