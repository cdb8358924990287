// A user as one line of a file to import: the body of `POST /admin/users`, checked by its rules.

import type { FieldError } from '../runtime/field-error.ts'
import type { Argon2Parameters } from '../users/argon2-parameters.ts'
import { compareHash } from '../users/password-hash.ts'
import type { PasswordRules } from '../users/password-quality.ts'
import { draftUser, type NewUserInput, type UserDraft } from '../users/user-draft.ts'

export type CheckedUser =
  | {
      readonly ok: true
      readonly draft: UserDraft
      readonly isHashWeak: boolean
      readonly isHashDear: boolean
    }
  | { readonly ok: false; readonly errors: readonly FieldError[] }

type Rules = PasswordRules & { readonly argon2: Argon2Parameters }

const MEMBERS = {
  id: 'string',
  username: 'string',
  email: 'string',
  password: 'string',
  passwordHash: 'string',
  emailVerified: 'boolean',
  roles: 'list',
} as const satisfies Record<keyof NewUserInput, string>

/** Every fault of the line, as the service would find it. */
export function checkUser(text: string, rules: Rules): CheckedUser {
  const user = parseObject(text)
  if (!user) return { ok: false, errors: [{ pointer: '', detail: 'must be one JSON object' }] }
  const checked = draftUser(toInput(user), rules)
  const errors = [...findMemberErrors(user), ...(checked.ok ? [] : checked.errors)]
  if (!checked.ok || errors.length > 0) return { ok: false, errors }
  const draft = checked.value
  return { ok: true, draft, ...compareHash(draft.passwordHash, rules.argon2) }
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
  return Object.entries(user).flatMap(([name, value]) => {
    const type = Object.hasOwn(MEMBERS, name) && MEMBERS[name as keyof typeof MEMBERS]
    if (!type) return [{ pointer: '/', detail: 'has a member that is not known' }]
    const isGood = type === 'list' ? Array.isArray(value) : typeof value === type
    return isGood ? [] : [{ pointer: `/${name}`, detail: `must be a ${type}` }]
  })
}

/** A missing name is a fault too; one of another type has been reported already. */
function toInput({ roles, ...user }: Record<string, unknown>): NewUserInput {
  const textOf = (value: unknown) => (typeof value === 'string' ? value : '')
  const givenOf = (value: unknown) => (value === undefined ? undefined : textOf(value))
  return {
    id: givenOf(user.id),
    username: textOf(user.username),
    email: textOf(user.email),
    password: givenOf(user.password),
    passwordHash: givenOf(user.passwordHash),
    emailVerified: user.emailVerified === true,
    roles: Array.isArray(roles) ? roles : [],
  }
}
