// What may be said about an account, checked as a whole. Pure: the JSON members go in, what may be
// stored or every fault comes out. The types of the members are checked before.

import type { Checked, FieldError } from '../runtime/field-error.ts'
import { PASSWORD_HASH_RULE, parsePasswordHash } from './password-hash.ts'
import { findPasswordProblem, type PasswordLimits } from './password-policy.ts'
import type { User, UserId } from './user.ts'
import { parseUserId } from './user-id.ts'
import { parseEmail, parseUsername, type UserName } from './user-names.ts'
import { findRoleErrors } from './user-roles.ts'

/** What a change of an account may say. */
export type UserPatchInput = {
  readonly [Member in 'username' | 'email' | 'emailVerified' | 'status' | 'roles']?:
    | User[Member]
    | undefined
}

/** What makes an account, with exactly one of `password` and `passwordHash`. */
export interface NewUserInput extends Omit<UserPatchInput, 'status'> {
  readonly id?: string | undefined
  readonly username: string
  readonly email: string
  readonly password?: string | undefined
  readonly passwordHash?: string | undefined
}

/** What is undefined stays as it is; but a changed email is no longer verified. */
export interface UserPatch extends Omit<UserPatchInput, 'username' | 'email'> {
  readonly username?: UserName | undefined
  readonly email?: UserName | undefined
}

export interface UserDraft extends Omit<NewUserInput, 'id' | 'username' | 'email'> {
  /** A fresh one where it is not given. */
  readonly id?: UserId | undefined
  readonly username: UserName
  readonly email: UserName
}

/** A draft whose password is hashed. */
export interface NewUser extends Omit<UserDraft, 'password'> {
  readonly passwordHash: string
}

const USERNAME_RULE =
  'must be 1 to 64 letters, marks, digits, ".", "_" and "-", the first one a letter or digit'
const EMAIL_RULE = 'must be an email address of at most 254 characters, none of them invisible'

export function draftUser(input: NewUserInput, limits: PasswordLimits): Checked<UserDraft> {
  const id = input.id === undefined ? undefined : parseUserId(input.id)
  const isBadId = input.id !== undefined && !id
  const checked = draftUserPatch(input)
  const errors = [
    ...(isBadId ? [{ pointer: '/id', detail: 'must be a UUID' }] : []),
    ...findCredentialErrors(input, limits),
    ...(checked.ok ? [] : checked.errors),
  ]
  if (!checked.ok || errors.length > 0) return { ok: false, errors }
  const { username, email } = checked.value
  if (!username || !email) throw new Error('a name that was given and kept its rule is there')
  return { ok: true, value: { ...input, id, username, email } }
}

export function draftUserPatch(input: UserPatchInput): Checked<UserPatch> {
  const username = input.username === undefined ? undefined : parseUsername(input.username)
  const email = input.email === undefined ? undefined : parseEmail(input.email)
  const errors = findRoleErrors(input.roles ?? [])
  if (input.username !== undefined && !username) {
    errors.push({ pointer: '/username', detail: USERNAME_RULE })
  }
  if (input.email !== undefined && !email) errors.push({ pointer: '/email', detail: EMAIL_RULE })
  return errors.length > 0
    ? { ok: false, errors }
    : { ok: true, value: { ...input, username, email } }
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

/** Exactly one of the two, and that one by its rules. */
function findCredentialErrors(
  { password, passwordHash }: Pick<NewUserInput, 'password' | 'passwordHash'>,
  limits: PasswordLimits,
): FieldError[] {
  if ((password === undefined) === (passwordHash === undefined)) {
    return [{ pointer: '/password', detail: 'either password or passwordHash must be given' }]
  }
  if (password !== undefined) return findPasswordErrors('/password', password, limits)
  if (passwordHash !== undefined && parsePasswordHash(passwordHash)) return []
  return [{ pointer: '/passwordHash', detail: PASSWORD_HASH_RULE }]
}
