// Recovery codes: random texts that people can write down and type. The table has hashes of them; with
// 80 random bits in each, a hash gives none away.

import { hash, randomBytes } from 'node:crypto'
import { encodeBase32 } from './base32.ts'

/** How many a user is given at a time. */
const RECOVERY_CODES = 10
const CODE_BYTES = 10
/** Crockford's: without i, l, o and u, which are read as digits or spell words. */
const ALPHABET = '0123456789abcdefghjkmnpqrstvwxyz'

/** Ten new codes, `xxxx-xxxx-xxxx-xxxx`. */
export function newRecoveryCodes(): string[] {
  return Array.from({ length: RECOVERY_CODES }, () => {
    const text = encodeBase32(randomBytes(CODE_BYTES), ALPHABET)
    return [0, 4, 8, 12].map((at) => text.slice(at, at + 4)).join('-')
  })
}

/**
 * The only form in which a code is stored, of whatever spelling was typed; undefined for what cannot be
 * one. The user is in it, so that equal codes of two users would not show.
 */
export function hashRecoveryCode(userId: string, text: string): Buffer | undefined {
  if (text.length > TYPED_LENGTH_MAX) return undefined
  const code = text
    .replaceAll(/[ -]/g, '')
    .toLowerCase()
    .replaceAll('o', '0')
    .replaceAll(/[il]/g, '1')
  if (!/^[0-9a-hjkmnp-tv-z]{16}$/.test(code)) return undefined
  return hash('sha256', `${userId} ${code}`, 'buffer')
}

const TYPED_LENGTH_MAX = 64
