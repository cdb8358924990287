// scrypt as Werkzeug writes it, and so Flask: `scrypt:32768:8:1$salt$hash`, the salt as text and the
// hash in hexadecimal.

import type { PasswordScheme } from '../password-scheme.ts'
import { deriveScrypt, SCRYPT_RULE, scryptCost, scryptWork } from '../password-work/scrypt-work.ts'
import { isSameBytes } from './hash-text.ts'

const TEXT =
  /^scrypt:([1-9]\d{0,6}):([1-9]\d?):([1-9]\d?)\$([\x21-\x23\x25-\x7e]{1,128})\$([0-9a-f]{128})$/

export const werkzeugScrypt: PasswordScheme = {
  rule: `scrypt of Werkzeug (scrypt:N:r:p$, ${SCRYPT_RULE})`,
  work: scryptWork,

  parse(text) {
    const [, N, r, p, salt = '', hashText = ''] = TEXT.exec(text) ?? []
    const parameters = { N: Number(N), r: Number(r), p: Number(p) }
    const cost = scryptCost(parameters)
    if (!cost) return undefined
    const hash = Buffer.from(hashText, 'hex')
    const input = { ...parameters, salt: Buffer.from(salt), hashBytes: hash.length }
    return {
      cost,
      matches: async (password) => isSameBytes(await deriveScrypt(password, input), hash),
    }
  },
}
