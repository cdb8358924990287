// The id and the names that a new user asks for: free, those of somebody else, or those of this very
// user, who was made before.

import type { FieldError } from '../runtime/field-error.ts'

export const USER_KEYS = ['id', 'username', 'email'] as const

/** The id and names, which no two users may share, in the form in which they are compared. */
export type UserKeys = { readonly [Name in (typeof USER_KEYS)[number]]: string | undefined }

/** Who has a key: a user of the table by id, or an earlier line of a file by its number. */
export type KeyHolder = string | number

export type Claim =
  | { readonly outcome: 'free' | 'there' }
  | { readonly outcome: 'taken'; readonly errors: readonly FieldError[] }

/** The name of a key and its value as one text, by which holders are looked up. */
export function keyText(name: keyof UserKeys, value: string): string {
  return `${name} ${value}`
}

/**
 * Whether the keys are free. A user is there already when the id is, with one of the names at least;
 * without an id, when both names are, and are the same user's. Whatever else is taken is a fault.
 */
export function judgeClaim(
  keys: UserKeys,
  holderOf: (key: string) => KeyHolder | undefined,
): Claim {
  const [id, username, email] = USER_KEYS.map((name) => {
    const value = keys[name]
    return value === undefined ? undefined : holderOf(keyText(name, value))
  })
  const who = keys.id === undefined ? username : id
  const names = keys.id === undefined ? [email] : [username, email]
  if (who !== undefined && names.includes(who)) return { outcome: 'there' }
  const holders = { id, username, email }
  const errors = USER_KEYS.flatMap((name) => {
    const holder = holders[name]
    if (holder === undefined) return []
    const detail = typeof holder === 'number' ? `is that of line ${holder} already` : TAKEN
    return [{ pointer: `/${name}`, detail }]
  })
  return errors.length === 0 ? { outcome: 'free' } : { outcome: 'taken', errors }
}

const TAKEN = 'is taken already'
