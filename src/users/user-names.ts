// The names that people log in with: what a username and an email may be, and the keys by which
// they are unique and looked up.

import { nameKey } from '../runtime/name-key.ts'

// Marks (\p{M}) are parts of words in many scripts, but no word begins with one.
const USERNAME = /^[\p{L}\p{N}][\p{L}\p{M}\p{N}._-]{0,63}$/u
// No invisible characters (\p{Cf}: zero-width, direction), which make two addresses look like one,
// and no NUL or lone surrogate, which PostgreSQL cannot store. USERNAME allows none of these
// anyway.
const EMAIL = /^[^\s@\p{Cc}\p{Cf}\p{Cs}]+@[^\s@\p{Cc}\p{Cf}\p{Cs}]+$/u
const USERNAME_LENGTH_MAX = 64
const EMAIL_LENGTH_MAX = 254
/** NFKC makes no code point of more than four UTF-16 units: this bounds the length before it. */
const UNITS_PER_CODE_POINT = 4

/** A valid name or address: `value` is shown, `key` is compared. */
export interface UserName {
  readonly value: string
  readonly key: string
}

/** What a login names: exactly one of the two keys. */
export type LoginKey = { readonly usernameKey: string } | { readonly emailKey: string }

/** Kept in NFKC with its case; undefined when it is no username. */
export function parseUsername(text: string): UserName | undefined {
  const value = normalize(text, USERNAME_LENGTH_MAX)
  return value !== undefined && USERNAME.test(value) ? { value, key: nameKey(value) } : undefined
}

/** Kept in NFKC with its case; undefined when it is no email, or over 254 code points. */
export function parseEmail(text: string): UserName | undefined {
  const value = normalize(text, EMAIL_LENGTH_MAX)
  return value !== undefined && EMAIL.test(value) ? { value, key: nameKey(value) } : undefined
}

/**
 * An identifier with an `@` is an email, any other a username; undefined when it is neither. Blanks
 * around it, which keyboards and clipboards add, are no part of it.
 */
export function parseIdentifier(identifier: string): LoginKey | undefined {
  const text = identifier.trim()
  const email = parseEmail(text)
  if (email) return { emailKey: email.key }
  const username = parseUsername(text)
  return username && { usernameKey: username.key }
}

/** The text in NFKC; undefined when it is too long. What is far too long is not even normalised. */
function normalize(text: string, codePointsMax: number): string | undefined {
  if (text.length > codePointsMax * UNITS_PER_CODE_POINT) return undefined
  const value = text.normalize('NFKC')
  return [...value].length <= codePointsMax ? value : undefined
}
