// Users as JSON: the representation, and what is read from a body that names
// one. Schemas check shapes; here stand the rules that a schema cannot say.

import type { FieldError } from '../../runtime/field-error.ts'
import { findPasswordProblem, type PasswordLimits } from '../../users/password-policy.ts'
import type { User } from '../../users/user.ts'
import { parseEmail, parseUsername, type UserName } from '../../users/user-names.ts'
import { validationFailed } from '../server/api-error.ts'

export interface UserJson {
  readonly id: string
  readonly username: string
  readonly email: string
  readonly emailVerified: boolean
  readonly status: 'active' | 'disabled'
  readonly roles: readonly string[]
  readonly createdAt: string
  readonly updatedAt: string
  readonly passwordChangedAt: string
}

export function toUserJson(user: User): UserJson {
  const { id, username, email, emailVerified, status, roles } = user
  return {
    id,
    username,
    email,
    emailVerified,
    status,
    roles,
    createdAt: user.createdAt.toISOString(),
    updatedAt: user.updatedAt.toISOString(),
    passwordChangedAt: user.passwordChangedAt.toISOString(),
  }
}

const USERNAME_RULE =
  'must be 1 to 64 letters, marks, digits, ".", "_" and "-", the first one a letter or digit'
const EMAIL_RULE = 'must be an email address of at most 254 characters, none of them invisible'

interface Names<T> {
  readonly username: T
  readonly email: T
}

/**
 * The names of a new user. Throws ApiError 422 that names every fault, `otherErrors` included.
 */
export function readNames(
  body: Names<string>,
  otherErrors: readonly FieldError[],
): Names<UserName> {
  const { username, email } = readGivenNames(body, otherErrors)
  if (!username || !email) throw validationFailed(otherErrors)
  return { username, email }
}

/** As `readNames`, where either may be missing. */
export function readGivenNames(
  body: Partial<Names<string>>,
  otherErrors: readonly FieldError[] = [],
): Names<UserName | undefined> {
  const username = body.username === undefined ? undefined : parseUsername(body.username)
  const email = body.email === undefined ? undefined : parseEmail(body.email)
  const errors = [...otherErrors]
  if (body.username !== undefined && !username) {
    errors.push({ pointer: '/username', detail: USERNAME_RULE })
  }
  if (body.email !== undefined && !email) errors.push({ pointer: '/email', detail: EMAIL_RULE })
  if (errors.length > 0) throw validationFailed(errors)
  return { username, email }
}

/** What is wrong with a new password, for the member at `pointer`. */
export function findPasswordErrors(
  pointer: string,
  password: string,
  limits: PasswordLimits,
): FieldError[] {
  switch (findPasswordProblem(password, limits)) {
    case 'too_short':
      return [{ pointer, detail: `must have at least ${limits.passwordMinLength} characters` }]
    case 'too_long':
      return [{ pointer, detail: `must have at most ${limits.passwordMaxLength} characters` }]
    case 'malformed':
      return [{ pointer, detail: 'must be well-formed Unicode' }]
    case undefined:
      return []
  }
}
