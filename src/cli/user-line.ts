// A user as one line of a file to import: the body of `POST /admin/users`, checked by its rules.

import { findPasswordErrors, readNames } from '../http/account/user-json.ts'
import { ApiError } from '../http/server/api-error.ts'
import type { FieldError } from '../runtime/field-error.ts'
import {
  type Argon2Parameters,
  PASSWORD_HASH_RULE,
  parsePasswordHash,
  workOf,
} from '../users/password-hash.ts'
import type { PasswordLimits } from '../users/password-policy.ts'
import { parseUserId } from '../users/user-id.ts'
import { findRoleErrors } from '../users/user-roles.ts'

export const USER_KEYS = ['id', 'username', 'email'] as const

/** The id and names, which no two users may share, in the form in which they are compared. */
export type UserKeys = { readonly [Name in (typeof USER_KEYS)[number]]: string | undefined }

export type CheckedUser =
  | {
      readonly ok: true
      readonly keys: UserKeys
      readonly isHashWeak: boolean
      readonly isHashDear: boolean
    }
  | { readonly ok: false; readonly errors: readonly FieldError[] }

type Rules = PasswordLimits & { readonly argon2: Argon2Parameters }

const MEMBERS = {
  id: 'string',
  username: 'string',
  email: 'string',
  password: 'string',
  passwordHash: 'string',
  emailVerified: 'boolean',
} as const

/** Every fault of the line, as the service would find it. */
export function checkUser(text: string, rules: Rules): CheckedUser {
  const user = parseObject(text)
  if (!user) return { ok: false, errors: [{ pointer: '', detail: 'must be one JSON object' }] }
  const errors = [...findMemberErrors(user), ...findCredentialErrors(user, rules)]
  const { id, username, email, passwordHash } = user
  try {
    const names = readNames({ username: textOf(username), email: textOf(email) }, errors)
    if (errors.length > 0) return { ok: false, errors }
    const keys = {
      id: typeof id === 'string' ? parseUserId(id) : undefined,
      username: names.username.key,
      email: names.email.key,
    }
    return { ok: true, keys, ...compareWork(passwordHash, rules.argon2) }
  } catch (error) {
    if (!(error instanceof ApiError)) throw error
    return { ok: false, errors: error.errors ?? [] }
  }
}

function parseObject(text: string): Record<string, unknown> | undefined {
  try {
    const value: unknown = JSON.parse(text)
    const isObject = typeof value === 'object' && value !== null && !Array.isArray(value)
    return isObject ? (value as Record<string, unknown>) : undefined
  } catch {
    return undefined
  }
}

function findMemberErrors(user: Record<string, unknown>): FieldError[] {
  const errors: FieldError[] = []
  for (const [name, value] of Object.entries(user)) {
    const pointer = `/${name}`
    const type = Object.hasOwn(MEMBERS, name) && MEMBERS[name as keyof typeof MEMBERS]
    if (name === 'roles') {
      if (Array.isArray(value)) errors.push(...findRoleErrors(value))
      else errors.push({ pointer, detail: 'must be a list' })
    } else if (!type) errors.push({ pointer: '/', detail: 'has a member that is not known' })
    else if (typeof value !== type) errors.push({ pointer, detail: `must be a ${type}` })
  }
  const { id } = user
  if (typeof id === 'string' && !parseUserId(id)) {
    errors.push({ pointer: '/id', detail: 'must be a UUID' })
  }
  return errors
}

function findCredentialErrors(
  { password, passwordHash }: Record<string, unknown>,
  rules: Rules,
): FieldError[] {
  if ((password === undefined) === (passwordHash === undefined)) {
    return [{ pointer: '/passwordHash', detail: 'or password must be given, and not both' }]
  }
  if (typeof password === 'string') return findPasswordErrors('/password', password, rules)
  if (typeof passwordHash !== 'string' || parsePasswordHash(passwordHash)) return []
  return [{ pointer: '/passwordHash', detail: PASSWORD_HASH_RULE }]
}

/** A missing name is a fault too; one of another type has been reported already. */
function textOf(value: unknown): string {
  return typeof value === 'string' ? value : ''
}

/** Compares the hash with the configured parameters; a plain password is hashed by those. */
function compareWork(passwordHash: unknown, argon2: Argon2Parameters) {
  const facts = typeof passwordHash === 'string' ? parsePasswordHash(passwordHash) : undefined
  const work = workOf(facts ?? argon2)
  return { isHashWeak: work < workOf(argon2), isHashDear: work > workOf(argon2) }
}
