// scrypt as Passlib writes it: `$scrypt$ln=16,r=8,p=1$salt$hash`, in base64 without padding.

import type { PasswordScheme } from '../password-scheme.ts'
import { deriveScrypt, SCRYPT_RULE, scryptCost, scryptWork } from '../password-work/scrypt-work.ts'
import { decodeBase64, isSameBytes } from './hash-text.ts'

const TEXT =
  /^\$scrypt\$ln=([1-9]\d?),r=([1-9]\d?),p=([1-9]\d?)\$([A-Za-z0-9+/]{0,86})\$([A-Za-z0-9+/]{22,86})$/

export const passlibScrypt: PasswordScheme = {
  rule: `scrypt of Passlib ($scrypt$ln=…, ${SCRYPT_RULE})`,
  work: scryptWork,

  parse(text) {
    const [, log2, r, p, saltText = '', hashText = ''] = TEXT.exec(text) ?? []
    const parameters = { N: 2 ** Number(log2), r: Number(r), p: Number(p) }
    const cost = scryptCost(parameters)
    const salt = decodeBase64(saltText)
    const hash = decodeBase64(hashText)
    if (!cost || !salt || !hash) return undefined
    const input = { ...parameters, salt, hashBytes: hash.length }
    return {
      cost,
      matches: async (password) => isSameBytes(await deriveScrypt(password, input), hash),
    }
  },
}
