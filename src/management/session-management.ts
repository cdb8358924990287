// Sessions as their owner and administrators manage them: listed, ended one by one or all at once.

import type { Client, ClientId } from '../clients/client.ts'
import type { Page } from '../database/keyset-page.ts'
import type { Families } from '../families/families.ts'
import type { FamilyEndReason, FamilyId } from '../families/family.ts'
import { type Act, withAct } from '../runtime/act.ts'
import type { Clock } from '../runtime/clock.ts'
import type { RecordEvent } from '../runtime/security-event.ts'
import type { UserId } from '../users/user.ts'
import { parseUserId } from '../users/user-id.ts'
import type { UserStore } from '../users/user-store.ts'
import { recordCommitted } from './record-committed.ts'
import { listSessions, type SessionQuery } from './session-list.ts'
import type { SessionView } from './session-view.ts'

export interface SessionManagementDependencies {
  readonly families: Pick<Families, 'index' | 'read' | 'end'>
  readonly users: Pick<UserStore, 'logoutEverywhere'>
  readonly findClient: (clientId: ClientId) => Promise<Client | undefined>
  readonly clock: Clock
  readonly recordEvent: RecordEvent
}

/** Every method rejects with DependencyUnavailable. */
export interface SessionManagement {
  /** Oldest first; none for a user that is not there. */
  list(userId: UserId, query: SessionQuery): Promise<Page<SessionView>>
  /** What is not there, or has ended, is left as it is. */
  end(id: string, sessionId: string, reason: FamilyEndReason, act: Act): Promise<void>
  /**
   * Ends all but `keptFamilyId`. Throws ManagementError `unfinished` when that is committed but the
   * family store could not be told.
   */
  endAll(id: string, act: Act, keptFamilyId?: FamilyId): Promise<void>
}

export function openSessionManagement(
  dependencies: SessionManagementDependencies,
): SessionManagement {
  const { families, users, clock, recordEvent } = dependencies

  return {
    list: (userId, query) => listSessions(userId, query, dependencies),

    async end(id, sessionId, reason, act) {
      const userId = parseUserId(id)
      // The form of both ids is the same: a UUID in lower case.
      const familyId = parseUserId(sessionId) as FamilyId | undefined
      if (!userId || !familyId) return
      const outcome = await families.end({ userId, familyId, reason, atMs: clock() })
      if (outcome !== 'ended') return
      const about = { subject: userId, sessionId: familyId }
      recordEvent(withAct({ type: 'token.revoked', reason, ...about }, act))
    },

    async endAll(id, act, keptFamilyId) {
      const userId = parseUserId(id)
      if (!userId) return
      const reason = 'logged_out_everywhere'
      await recordCommitted(
        (onChanged) => users.logoutEverywhere(userId, keptFamilyId, onChanged),
        () => recordEvent(withAct({ type: 'token.revoked', reason, subject: userId }, act)),
      )
    },
  }
}
