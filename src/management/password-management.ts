// The passwords of users: set by an administrator, or changed from a session of their own.

import type { FamilyId } from '../families/family.ts'
import { reachedEpoch } from '../families/family-rules.ts'
import { type Act, senderOf, withAct } from '../runtime/act.ts'
import type { RecordEvent } from '../runtime/security-event.ts'
import type { Throttle } from '../throttle/throttle.ts'
import { loginAccountsOf } from '../users/authenticate-user.ts'
import type { PasswordHasher } from '../users/password-hasher.ts'
import { findPasswordProblem } from '../users/password-policy.ts'
import type { PasswordOwner, PasswordRules } from '../users/password-quality.ts'
import type { User, UserId, UserRecord } from '../users/user.ts'
import { findPasswordErrors } from '../users/user-draft.ts'
import { parseUserId } from '../users/user-id.ts'
import type { UserCredentials } from '../users/user-row.ts'
import type { UserStore } from '../users/user-store.ts'
import { accepted, found, ManagementError, sessionOver } from './management-error.ts'
import { recordCommitted } from './record-committed.ts'

export interface PasswordManagementDependencies {
  readonly users: Pick<UserStore, 'findById' | 'findCredentials' | 'setPassword'>
  readonly hasher: Pick<PasswordHasher, 'hash' | 'verify'>
  readonly passwordRules: PasswordRules
  readonly throttle: Throttle
  readonly recordEvent: RecordEvent
}

/** The session from which people change their own password. */
export interface OwnSession {
  readonly userId: UserId
  readonly familyId: FamilyId
}

/**
 * Both throw ManagementError `invalid` where the policy refuses the password, `unfinished` where the
 * change stands but is not carried to the sessions, and OAuthError `login_queue_…` when no lane is
 * free, or `throttled`. Both reject with DependencyUnavailable. `signal` gives up waiting for a lane.
 */
export interface PasswordManagement {
  /** Ends every session of the user. Throws ManagementError `not_found`. */
  setPassword(id: string, password: string, act: Act, signal?: AbortSignal): Promise<void>
  /**
   * Ends every session of the user but the own one, which has just shown that it knows the password.
   * Throws ManagementError `wrong_password` or `session_over`.
   */
  changePassword(
    own: OwnSession,
    passwords: { readonly currentPassword: string; readonly newPassword: string },
    act: Act,
    signal?: AbortSignal,
  ): Promise<void>
}

export function openPasswordManagement(
  dependencies: PasswordManagementDependencies,
): PasswordManagement {
  const { users, hasher, passwordRules, throttle, recordEvent } = dependencies

  function refuseBadPassword(pointer: string, password: string, owner: PasswordOwner): void {
    const errors = findPasswordErrors(pointer, password, passwordRules, owner)
    accepted(errors.length === 0 ? { ok: true, value: password } : { ok: false, errors })
  }

  async function isPassword(text: string, passwordHash: string, signal?: AbortSignal) {
    const problem = findPasswordProblem(text, passwordRules)
    if (problem === 'too_long' || problem === 'malformed') return false
    return (await hasher.verify(passwordHash, text, signal)).matches
  }

  return {
    async setPassword(id, password, act, signal) {
      const userId = found(parseUserId(id), 'user')
      // Before a lane is taken for nobody.
      const user = found(await users.findById(userId), 'user')
      refuseBadPassword('/password', password, user)
      const passwordHash = await hasher.hash(password, signal)
      const isSet = await recordCommitted(
        (onChanged) => users.setPassword(userId, passwordHash, onChanged),
        () => recordEvent(withAct({ type: 'user.password_changed', subject: userId }, act)),
      )
      found(isSet || undefined, 'user')
    },

    async changePassword({ userId, familyId }, { currentPassword, newPassword }, act, signal) {
      const credentials = await users.findCredentials(userId)
      if (!credentials) throw sessionOver()
      refuseBadPassword('/newPassword', newPassword, credentials.user)
      // As at a login, so that the source of the login is known here as well.
      const [account = userId] = loginAccountsOf(credentials.user)
      const guess = { kind: 'current_password', account, ...senderOf(act) } as const
      await throttle.check(guess)
      if (!(await isPassword(currentPassword, credentials.passwordHash, signal))) {
        await throttle.failed(guess)
        throw wrongPassword()
      }
      await throttle.succeeded(guess)
      const passwordHash = await hasher.hash(newPassword, signal)
      const from = { keptFamilyId: familyId, check: checkProved(credentials, familyId) }
      const about = { subject: userId, sessionId: familyId }
      const isChanged = await recordCommitted(
        (onChanged) => users.setPassword(userId, passwordHash, onChanged, from),
        () => recordEvent(withAct({ type: 'user.password_changed', ...about }, act)),
      )
      if (!isChanged) throw sessionOver()
    },
  }
}

/** What was proved before the hashing must still hold when the change is made. */
function checkProved(proved: UserCredentials, familyId: FamilyId) {
  const family = { familyId, epoch: proved.record.epoch }
  return (user: User, record: UserRecord): void => {
    if (reachedEpoch(family, record.epochLog) < record.epoch) throw sessionOver()
    const isSamePassword = +user.passwordChangedAt === +proved.user.passwordChangedAt
    if (!isSamePassword) throw wrongPassword()
  }
}

function wrongPassword(): ManagementError {
  return new ManagementError('wrong_password', 'the current password is not right')
}
