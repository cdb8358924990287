// PBKDF2 as Passlib writes it: `$pbkdf2-sha256$29000$salt$hash`, and `$pbkdf2$…` for SHA-1, both parts
// in its adapted base64.

import type { PasswordScheme } from '../password-scheme.ts'
import {
  derivePbkdf2,
  PBKDF2_RULE,
  type Pbkdf2Digest,
  pbkdf2Cost,
  pbkdf2Work,
} from '../password-work/pbkdf2-work.ts'
import { decodeAdaptedBase64, isSameBytes } from './hash-text.ts'

const TEXT =
  /^\$pbkdf2(?:-(sha256|sha512))?\$([1-9]\d{0,6})\$([./A-Za-z0-9]{0,86})\$([./A-Za-z0-9]{27,86})$/

export const passlibPbkdf2: PasswordScheme = {
  rule: `PBKDF2 of Passlib ($pbkdf2$, $pbkdf2-sha256$ or $pbkdf2-sha512$, ${PBKDF2_RULE})`,
  work: pbkdf2Work,

  parse(text) {
    const [all, name, digits, saltText = '', hashText = ''] = TEXT.exec(text) ?? []
    if (all === undefined) return undefined
    const digest = (name ?? 'sha1') as Pbkdf2Digest
    const iterations = Number(digits)
    const salt = decodeAdaptedBase64(saltText)
    const hash = decodeAdaptedBase64(hashText)
    const cost = hash && pbkdf2Cost(digest, iterations, hash)
    if (!salt || !hash || !cost) return undefined
    return {
      cost,
      matches: async (password) =>
        isSameBytes(await derivePbkdf2(password, { digest, iterations, salt }), hash),
    }
  },
}
