// bcrypt, `$2b$12$…`: $2a$, $2b$ and $2y$ name the same function, as fixed by three implementations.
//
// Others have hashed the first 72 bytes of a password, so those are what its owner can prove: a longer
// one is let in by them, and at that login the whole of it is hashed anew, so that from then on every
// byte counts. NUL ends the password for some implementations and is refused or hashed by others, and
// bcrypt repeats the password with a NUL behind it, so `ab` and `ab\0ab` have the same hash. So no
// password with a NUL matches: it would open an account to who knows a part of the password.

import type { PasswordScheme } from '../password-scheme.ts'
import { bcryptCost, bcryptWork, deriveBcrypt } from '../password-work/bcrypt-work.ts'
import { isSameBytes } from './hash-text.ts'

const COST_MIN = 4
const COST_MAX = 14

// The last characters of salt and hash stand for two and four bits: the others are zero.
const TEXT = /^\$2[aby]\$(\d\d)\$([./A-Za-z0-9]{21}[.Oeu])([./A-Za-z0-9]{30}[.CGKOSWaeimquy26])$/
/** `$2b$12$` and the salt. */
const HASH_AT = 29

export const bcryptScheme: PasswordScheme = {
  rule: `bcrypt ($2a$, $2b$ or $2y$, cost <= ${COST_MAX})`,
  work: bcryptWork,

  parse(text) {
    const [, digits = '', salt = '', hash = ''] = TEXT.exec(text) ?? []
    const cost = Number(digits)
    if (!(cost >= COST_MIN && cost <= COST_MAX)) return undefined
    return {
      cost: bcryptCost(cost),
      async matches(password) {
        const made = (await deriveBcrypt(password, cost, salt)).slice(HASH_AT)
        const isSame = isSameBytes(Buffer.from(made), Buffer.from(hash))
        return isSame && !password.includes(0)
      },
    }
  },
}
