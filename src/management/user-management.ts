// Accounts as their owners and administrators manage them: found, made, changed and deleted. Every
// change is checked as a whole and recorded.

import type { Page, PageRequest } from '../database/keyset-page.ts'
import { type Act, withAct } from '../runtime/act.ts'
import type { RecordEvent, SecurityEvent } from '../runtime/security-event.ts'
import type { PasswordCosts } from '../users/password-costs.ts'
import { parsePasswordHash } from '../users/password-hash.ts'
import type { PasswordHasher } from '../users/password-hasher.ts'
import type { PasswordRules } from '../users/password-quality.ts'
import type { User, UserFilter, UserId } from '../users/user.ts'
import {
  draftUser,
  draftUserPatch,
  type NewUserInput,
  type UserPatchInput,
} from '../users/user-draft.ts'
import { parseUserId } from '../users/user-id.ts'
import { parseIdentifier } from '../users/user-names.ts'
import type { CheckCurrent, UserStore } from '../users/user-store.ts'
import { accepted, found, sessionOver } from './management-error.ts'
import { recordCommitted } from './record-committed.ts'

export interface UserManagementDependencies {
  readonly users: Pick<
    UserStore,
    'create' | 'findById' | 'findForLogin' | 'list' | 'patch' | 'delete'
  >
  readonly hasher: Pick<PasswordHasher, 'hash'>
  readonly passwordCosts: Pick<PasswordCosts, 'include'>
  readonly passwordRules: PasswordRules
  readonly recordEvent: RecordEvent
}

/**
 * Every method rejects with DependencyUnavailable, and those for one user with ManagementError
 * `not_found`; deleting nobody is harmless. What is given is checked as a whole: ManagementError
 * `invalid`, or AlreadyTaken with the member that somebody else has. `unfinished` where a change
 * stands but is not carried to the sessions yet.
 */
export interface UserManagement {
  /** Oldest first. */
  list(filter: UserFilter, page: PageRequest): Promise<Page<User>>
  find(id: string): Promise<User>
  /** Of the user whose token was good a moment ago: ManagementError `session_over` in place of `not_found`. */
  findOwn(userId: UserId): Promise<User>
  /** By id, username or email. */
  findNamed(name: string): Promise<User>
  /** `signal` gives up waiting for a lane; throws OAuthError `login_queue_…` when none is free. */
  create(input: NewUserInput, act: Act, signal?: AbortSignal): Promise<User>
  /** What asks for nothing new changes nothing. */
  update(id: string, patch: UserPatchInput, act: Act, check?: CheckCurrent): Promise<User>
  delete(id: string, act: Act, check?: CheckCurrent): Promise<void>
}

export function openUserManagement(dependencies: UserManagementDependencies): UserManagement {
  const { users, hasher, passwordCosts, passwordRules, recordEvent } = dependencies
  const record = (event: SecurityEvent, act: Act) => recordEvent(withAct(event, act))

  async function find(id: string): Promise<User> {
    const userId = parseUserId(id)
    return found(userId && (await users.findById(userId)), 'user')
  }

  return {
    list: users.list,
    find,

    async findOwn(userId) {
      const user = await users.findById(userId)
      if (!user) throw sessionOver()
      return user
    },

    async findNamed(name) {
      const id = parseUserId(name)
      const byId = id && (await users.findById(id))
      if (byId) return byId
      // A username may look like an id.
      const key = parseIdentifier(name)
      const byName = key && (await users.findForLogin(key))
      return found(byName, 'user').user
    },

    async create(input, act, signal) {
      const { password = '', passwordHash, ...draft } = accepted(draftUser(input, passwordRules))
      const user = await users.create({
        ...draft,
        passwordHash: passwordHash ?? (await hasher.hash(password, signal)),
      })
      const imported = passwordHash === undefined ? undefined : parsePasswordHash(passwordHash)
      if (imported) passwordCosts.include(imported.cost)
      record({ type: 'user.created', subject: user.id }, act)
      return user
    },

    async update(id, input, act, check) {
      const userId = found(parseUserId(id), 'user')
      const patch = accepted(draftUserPatch(input))
      const user = await recordCommitted(
        (onChanged) => users.patch(userId, patch, onChanged, check),
        (changed) => {
          const isDisabled = patch.status === 'disabled' && changed.includes('status')
          const type = isDisabled ? 'user.disabled' : 'user.updated'
          record({ type, subject: userId, detail: { changed } }, act)
        },
      )
      return found(user, 'user')
    },

    async delete(id, act, check) {
      const userId = parseUserId(id)
      if (!userId) return
      await recordCommitted(
        (onChanged) => users.delete(userId, onChanged, check),
        () => record({ type: 'user.deleted', subject: userId }, act),
      )
    },
  }
}
