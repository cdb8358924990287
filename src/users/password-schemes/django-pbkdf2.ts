// PBKDF2 as Django writes it: `pbkdf2_sha256$600000$salt$hash`. The salt is the text as it stands.

import type { PasswordScheme } from '../password-scheme.ts'
import {
  derivePbkdf2,
  PBKDF2_RULE,
  type Pbkdf2Digest,
  pbkdf2Cost,
  pbkdf2Work,
} from '../password-work/pbkdf2-work.ts'
import { decodePaddedBase64, isSameBytes } from './hash-text.ts'

const TEXT =
  /^pbkdf2_(sha1|sha256|sha512)\$([1-9]\d{0,6})\$([\x21-\x23\x25-\x7e]{1,128})\$([A-Za-z0-9+/]{27,86}={1,2})$/

export const djangoPbkdf2: PasswordScheme = {
  rule: `PBKDF2 of Django (pbkdf2_sha1$, pbkdf2_sha256$ or pbkdf2_sha512$, ${PBKDF2_RULE})`,
  work: pbkdf2Work,

  parse(text) {
    const [, name, digits, saltText = '', hashText = ''] = TEXT.exec(text) ?? []
    const digest = name as Pbkdf2Digest | undefined
    const iterations = Number(digits)
    const salt = Buffer.from(saltText)
    const hash = decodePaddedBase64(hashText)
    const cost = digest && hash && pbkdf2Cost(digest, iterations, hash)
    if (!cost) return undefined
    return {
      cost,
      matches: async (password) =>
        isSameBytes(await derivePbkdf2(password, { digest, iterations, salt }), hash),
    }
  },
}
