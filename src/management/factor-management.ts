// Second factors as their owners and administrators manage them. Whatever changes how somebody logs in
// ends every session but the one that asked, and is recorded.

import type { Page, PageRequest } from '../database/keyset-page.ts'
import { encodeBase32 } from '../factors/base32.ts'
import { FACTORS_MAX, type Factor, type FactorId, findNameErrors } from '../factors/factor.ts'
import type { FactorChangeSource, FactorStore } from '../factors/factor-store.ts'
import { otpauthUri } from '../factors/totp.ts'
import type { FamilyId } from '../families/family.ts'
import { reachedEpoch } from '../families/family-rules.ts'
import { type Act, senderOf, withAct } from '../runtime/act.ts'
import type { RecordEvent, SecurityEventType } from '../runtime/security-event.ts'
import { isUuid } from '../runtime/uuid.ts'
import type { Throttle } from '../throttle/throttle.ts'
import type { UserId, UserRecord } from '../users/user.ts'
import type { UserCredentials } from '../users/user-row.ts'
import type { UserStore } from '../users/user-store.ts'
import { accepted, found, ManagementError, sessionOver } from './management-error.ts'
import { recordCommitted } from './record-committed.ts'

export interface FactorManagementDependencies {
  readonly factors: FactorStore
  readonly users: Pick<UserStore, 'findCredentials'>
  readonly throttle: Pick<Throttle, 'check' | 'failed'>
  /** What authenticators show above the code. */
  readonly issuerName: string
  readonly recordEvent: RecordEvent
}

/** Whose factors. The session is the one that asks, and goes on; an administrator has none of them. */
export interface FactorOwner {
  readonly userId: UserId
  readonly familyId?: FamilyId
}

/** Shown this once, to be put into an authenticator. */
export interface NewFactor extends Factor {
  /** Base32 (RFC 4648). */
  readonly secret: string
  readonly otpauthUri: string
}

export interface ActivatedFactor extends Factor {
  /** Shown this once, and only with the first factor. */
  readonly recoveryCodes?: readonly string[]
}

/**
 * Every method rejects with DependencyUnavailable, and throws ManagementError `session_over` or
 * `not_found` where the user is gone, and `unfinished` where a change stands but is not carried to the
 * sessions.
 */
export interface FactorManagement {
  /** Oldest first. */
  list(userId: UserId, page: PageRequest): Promise<Page<Factor>>
  /** Asked for at no login before it is activated. Throws ManagementError `invalid` or `conflict`. */
  create(owner: FactorOwner, name: string | undefined): Promise<NewFactor>
  /** Throws ManagementError `not_found`, `conflict` for an active one, or `wrong_code`; OAuthError `throttled`. */
  activate(owner: FactorOwner, id: string, code: string, act: Act): Promise<ActivatedFactor>
  /** What is not there is left as it is. */
  remove(owner: FactorOwner, id: string, act: Act): Promise<void>
  /** With the recovery codes; the user logs in by the password alone then. */
  removeAll(userId: UserId, act: Act): Promise<void>
  /** Ten new ones; all from before are void. Throws ManagementError `conflict` without a factor. */
  renewRecoveryCodes(owner: FactorOwner, act: Act): Promise<readonly string[]>
}

export function openFactorManagement(dependencies: FactorManagementDependencies): FactorManagement {
  const { factors, users, throttle, issuerName, recordEvent } = dependencies

  async function findOwner({ userId, familyId }: FactorOwner): Promise<UserCredentials> {
    const credentials = await users.findCredentials(userId)
    if (!credentials && familyId !== undefined) throw sessionOver()
    return found(credentials, 'user')
  }

  /** The session that asks, which must still live when the change is made. */
  async function sourceOf(owner: FactorOwner): Promise<FactorChangeSource | undefined> {
    const { record } = await findOwner(owner)
    const { familyId } = owner
    return familyId && { keptFamilyId: familyId, check: checkAlive(familyId, record) }
  }

  function record(type: SecurityEventType, owner: FactorOwner, act: Act, factorId?: string): void {
    const { userId, familyId } = owner
    const about = { subject: userId, ...(familyId && { sessionId: familyId }) }
    recordEvent(withAct({ type, ...about, ...(factorId && { detail: { factorId } }) }, act))
  }

  return {
    list: factors.list,

    async create(owner, name) {
      const errors = findNameErrors(name)
      accepted(errors.length === 0 ? { ok: true, value: name } : { ok: false, errors })
      const { user } = await findOwner(owner)
      const made = await factors.create(user.id, name)
      if (made.outcome === 'user_unknown') throw sessionOver()
      if (made.outcome === 'too_many') throw conflict(`A user has at most ${FACTORS_MAX} factors.`)
      const { factor, secret } = made
      const uri = otpauthUri(secret, issuerName, user.username)
      return { ...factor, secret: encodeBase32(secret), otpauthUri: uri }
    },

    async activate(owner, id, code, act) {
      const from = await sourceOf(owner)
      const factorId = found(isUuid(id) ? (id as FactorId) : undefined, 'factor')
      // By the factor, so that whoever mistypes here takes nothing from the logins of the user.
      const guess = { kind: 'one_time_code', account: factorId, ...senderOf(act) } as const
      await throttle.check(guess)
      const done = await recordCommitted(
        (onChanged) => factors.activate(owner.userId, factorId, code, onChanged, from),
        () => record('user.factor_added', owner, act, factorId),
      )
      switch (done.outcome) {
        case 'unknown':
          throw new ManagementError('not_found', 'there is no such factor')
        case 'active_already':
          throw conflict('The factor is active already.')
        case 'code_wrong':
          await throttle.failed(guess)
          throw new ManagementError('wrong_code', 'the code is not right')
        case 'activated': {
          const { factor, recoveryCodes } = done
          return { ...factor, ...(recoveryCodes && { recoveryCodes }) }
        }
      }
    },

    async remove(owner, id, act) {
      if (!isUuid(id)) return
      const from = await sourceOf(owner)
      await recordCommitted(
        (onChanged) => factors.remove(owner.userId, id as FactorId, onChanged, from),
        () => record('user.factor_removed', owner, act, id),
      )
    },

    async removeAll(userId, act) {
      await recordCommitted(
        (onChanged) => factors.removeAll(userId, onChanged),
        () => record('user.factor_removed', { userId }, act),
      )
    },

    async renewRecoveryCodes(owner, act) {
      const from = await sourceOf(owner)
      const codes = await recordCommitted(
        (onChanged) => factors.renewRecoveryCodes(owner.userId, onChanged, from),
        () => {
          const { userId: subject, familyId } = owner
          const detail = { changed: ['recoveryCodes'] }
          const about = { subject, ...(familyId && { sessionId: familyId }), detail }
          recordEvent(withAct({ type: 'user.updated', ...about }, act))
        },
      )
      if (!codes) throw conflict('The user has no active factor.')
      return codes
    },
  }
}

/** A session that was ended since its token was checked changes nothing any more. */
function checkAlive(familyId: FamilyId, { epoch }: UserRecord): FactorChangeSource['check'] {
  return (_user, record) => {
    if (reachedEpoch({ familyId, epoch }, record.epochLog) < record.epoch) throw sessionOver()
  }
}

function conflict(message: string): ManagementError {
  return new ManagementError('conflict', message)
}
