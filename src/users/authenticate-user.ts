// Who logs in with these credentials: the same work and the same answer for an unknown user, a
// wrong password and a disabled user (docs/semantics.md §7). Starts no family.

import { OAuthError } from '../oauth/oauth-error.ts'
import type { Throttle } from '../throttle/throttle.ts'
import type { PasswordHasher, Verification } from './password-hasher.ts'
import { findPasswordProblem, type PasswordLimits } from './password-policy.ts'
import type { User, UserRecord } from './user.ts'
import { type LoginKey, parseIdentifier } from './user-names.ts'
import type { UserCredentials } from './user-row.ts'
import type { UserStore } from './user-store.ts'

export interface LoginDependencies {
  readonly users: Pick<UserStore, 'findForLogin' | 'replaceHash'>
  readonly hasher: PasswordHasher
  readonly passwordLimits: PasswordLimits
  readonly throttle: Throttle
}

export interface LoginAttempt {
  readonly identifier: string
  readonly password: string
  /** Where the attempt comes from. */
  readonly ip: string
  readonly requestId?: string | undefined
  /** Aborts the wait for a hashing lane. */
  readonly signal?: AbortSignal | undefined
}

export interface AuthenticatedUser {
  readonly user: User
  /** As it was read with the password hash: a family is created only if it still holds. */
  readonly record: UserRecord
  /** Whether the login needs a second step. */
  readonly hasFactor: boolean
}

/**
 * Throws OAuthError `login_…` (`invalid_grant`, one answer for all of them), `login_queue_…` or
 * `throttled`; DependencyUnavailable when PostgreSQL is away.
 */
export async function authenticateUser(
  { identifier, password, ip, requestId, signal }: LoginAttempt,
  { users, hasher, passwordLimits, throttle }: LoginDependencies,
): Promise<AuthenticatedUser> {
  const problem = findPasswordProblem(password, passwordLimits)
  if (problem === 'too_long') throw new OAuthError('login_password_too_long')
  if (problem === 'malformed') throw new OAuthError('login_password_wrong')
  const key = parseIdentifier(identifier)
  // Whether or not there is such a user, and even if there cannot be one: all are treated alike.
  const account = key ? loginAccountOf(key) : identifier
  const guess = { kind: 'login', account, ip, requestId } as const
  await throttle.check(guess)
  const { found, verification } = await hasher.reserve(async (verify) => {
    const credentials = key && (await users.findForLogin(key))
    const verified = await verify(credentials?.passwordHash, password, signal)
    return { found: credentials, verification: verified }
  })
  if (!found || !verification.matches || found.user.status !== 'active') {
    await throttle.failed(guess)
    throw new OAuthError(findRefusal(found, verification))
  }
  // Of a login in two steps the second one is the success (factors/prove-factor.ts).
  if (found.hasFactor) await throttle.check(guess)
  else await throttle.succeeded(guess, loginAccountsOf(found.user))
  if (verification.isStale) await renewHash(found, password, users, hasher)
  const { user, record, hasFactor } = found
  return { user, record, hasFactor }
}

/** As the throttle names an account: by what was typed, so that it tells nothing of the user behind. */
export function loginAccountOf(key: LoginKey): string {
  return JSON.stringify(key)
}

/** All names by which the user may log in next time, as the throttle has them. */
export function loginAccountsOf({ username, email }: User): string[] {
  const keys = [parseIdentifier(username), parseIdentifier(email)]
  return keys.flatMap((key) => (key ? [loginAccountOf(key)] : []))
}

function findRefusal(found: UserCredentials | undefined, { matches, problem }: Verification) {
  if (!found) return 'login_user_unknown'
  if (matches) return 'login_user_disabled'
  if (problem === 'pepper_missing') return 'login_pepper_missing'
  return problem ? 'login_hash_refused' : 'login_password_wrong'
}

/** Hashes the password anew, as only a login can. If it fails, the next login does it. */
async function renewHash(
  { user, passwordHash }: UserCredentials,
  password: string,
  users: LoginDependencies['users'],
  hasher: PasswordHasher,
): Promise<void> {
  try {
    const newHash = await hasher.hash(password)
    await users.replaceHash(user.id, passwordHash, newHash)
  } catch {
    // The lanes are full or PostgreSQL is away: the login succeeds all the same.
  }
}
