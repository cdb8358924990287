// SHA-512 crypt as Unix systems write it: `$6$salt$hash`, or `$6$rounds=656000$salt$hash` where the
// rounds are not 5000.

import type { PasswordScheme } from '../password-scheme.ts'
import {
  deriveSha512Crypt,
  SHA512_CRYPT_RULE,
  sha512CryptCost,
  sha512CryptWork,
} from '../password-work/sha512-crypt-work.ts'
import { isSameBytes } from './hash-text.ts'

const ROUNDS_WITHOUT_SAYING = 5_000
const ALPHABET = './0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz'
// The last character stands for two bits: the others are zero.
const TEXT = /^\$6\$(?:rounds=([1-9]\d{0,6})\$)?([./0-9A-Za-z]{1,16})\$([./0-9A-Za-z]{85}[./01])$/

export const sha512Crypt: PasswordScheme = {
  rule: `SHA-512 crypt ($6$, ${SHA512_CRYPT_RULE})`,
  work: sha512CryptWork,

  parse(text) {
    const [all, digits, saltText = '', hash = ''] = TEXT.exec(text) ?? []
    const rounds = digits === undefined ? ROUNDS_WITHOUT_SAYING : Number(digits)
    const input = { salt: Buffer.from(saltText), rounds }
    const cost = sha512CryptCost(input)
    if (all === undefined || !cost) return undefined
    return {
      cost,
      async matches(password) {
        const made = encodeDigest(await deriveSha512Crypt(password, input))
        return isSameBytes(Buffer.from(made), Buffer.from(hash))
      },
    }
  },
}

/** Three bytes, a third of the digest apart, make four characters; the last byte makes two. */
function encodeDigest(digest: Buffer): string {
  let text = ''
  let places = [0, 21, 42]
  for (let group = 0; group < 21; group += 1) {
    const [high = 0, middle = 0, low = 0] = places.map((place) => digest[place] ?? 0)
    text += encodeBits((high << 16) | (middle << 8) | low, 4)
    const [first = 0, second = 0, third = 0] = places.map((place) => place + 1)
    places = [second, third, first]
  }
  return text + encodeBits(digest[63] ?? 0, 2)
}

/** The lowest six bits first. */
function encodeBits(bits: number, characters: number): string {
  const at = (index: number) => ALPHABET[(bits >>> (6 * index)) & 63] ?? ''
  return Array.from({ length: characters }, (_, index) => at(index)).join('')
}
