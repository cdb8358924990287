// What may be said about an account, checked as a whole. Pure: the JSON members go in, what may be
// stored or every fault comes out. The types of the members are checked before.

import type { Checked, FieldError } from '../runtime/field-error.ts'
import { PASSWORD_HASH_RULE, parseForeignHash } from './password-hash.ts'
import { findPasswordProblem } from './password-policy.ts'
import { findPasswordWeakness, type PasswordOwner, type PasswordRules } from './password-quality.ts'
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

export function draftUser(input: NewUserInput, rules: PasswordRules): Checked<UserDraft> {
  const id = input.id === undefined ? undefined : parseUserId(input.id)
  const isBadId = input.id !== undefined && !id
  const checked = draftUserPatch(input)
  const errors = [
    ...(isBadId ? [{ pointer: '/id', detail: 'must be a UUID' }] : []),
    ...findCredentialErrors(input, rules),
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

/**
 * What is wrong with a new password, for the member at `pointer`. Every way to set one asks this: a
 * password that was good when it was set stays good for logging in.
 */
export function findPasswordErrors(
  pointer: string,
  password: string,
  rules: PasswordRules,
  owner: PasswordOwner,
): FieldError[] {
  const detail = describeProblem(password, rules) ?? findPasswordWeakness(password, rules, owner)
  return detail === undefined ? [] : [{ pointer, detail }]
}

function describeProblem(password: string, rules: PasswordRules): string | undefined {
  switch (findPasswordProblem(password, rules)) {
    case 'too_short':
      return `must have at least ${rules.passwordMinLength} characters`
    case 'too_long':
      return `must have at most ${rules.passwordMaxLength} characters`
    case 'malformed':
      return 'must be well-formed Unicode'
    case undefined:
      return undefined
  }
}

/** Exactly one of the two, and that one by its rules. */
function findCredentialErrors(input: NewUserInput, rules: PasswordRules): FieldError[] {
  const { password, passwordHash } = input
  if ((password === undefined) === (passwordHash === undefined)) {
    return [{ pointer: '/password', detail: 'either password or passwordHash must be given' }]
  }
  if (password !== undefined) return findPasswordErrors('/password', password, rules, input)
  if (passwordHash !== undefined && parseForeignHash(passwordHash)) return []
  return [{ pointer: '/passwordHash', detail: PASSWORD_HASH_RULE }]
}
