// scrypt as Django writes it: `scrypt$16384$salt$8$1$hash`. The salt is the text as it stands.

import type { PasswordScheme } from '../password-scheme.ts'
import { deriveScrypt, SCRYPT_RULE, scryptCost, scryptWork } from '../password-work/scrypt-work.ts'
import { decodePaddedBase64, isSameBytes } from './hash-text.ts'

const TEXT =
  /^scrypt\$([1-9]\d{0,6})\$([\x21-\x23\x25-\x7e]{1,128})\$([1-9]\d?)\$([1-9]\d?)\$([A-Za-z0-9+/]{86}==)$/

export const djangoScrypt: PasswordScheme = {
  rule: `scrypt of Django (scrypt$N$salt$r$p$, ${SCRYPT_RULE})`,
  work: scryptWork,

  parse(text) {
    const [, N, salt = '', r, p, hashText = ''] = TEXT.exec(text) ?? []
    const parameters = { N: Number(N), r: Number(r), p: Number(p) }
    const cost = scryptCost(parameters)
    const hash = decodePaddedBase64(hashText)
    if (!cost || !hash) return undefined
    const input = { ...parameters, salt: Buffer.from(salt), hashBytes: hash.length }
    return {
      cost,
      matches: async (password) => isSameBytes(await deriveScrypt(password, input), hash),
    }
  },
}
