// Argon2 as PHC strings, our own and those of other systems: `$argon2id$v=19$m=…,t=…,p=…$salt$hash`.
// A hash that was made with a pepper names it by `keyid`, behind the other parameters.

import {
  type Argon2Parameters,
  isBoundedCost,
  MEMORY_KIB_MAX,
  PARALLELISM_MAX,
  parseParameters,
  THREADED_WORK_MAX,
  TIME_MAX,
  WORK_MAX,
} from '../argon2-parameters.ts'
import type { PasswordScheme } from '../password-scheme.ts'
import {
  type Argon2Variant,
  argon2Cost,
  argon2Work,
  deriveArgon2,
} from '../password-work/argon2-work.ts'
import { decodeBase64, encodeBase64, isSameBytes } from './hash-text.ts'

// RFC 9106 §3.1 wants a salt of at least 8 bytes, which are 11 characters. A hash has at least 16
// bytes, as Argon2 for Python once made them, and both have at most 64.
const PHC =
  /^\$argon2(id|i|d)\$v=19\$([a-z0-9=,]{11,32}?)(?:,keyid=([A-Za-z0-9+/]{2}))?\$([A-Za-z0-9+/]{11,86})\$([A-Za-z0-9+/]{22,86})$/

/** One of our own: `pepperId` is the one byte that names the pepper. */
export function formatArgon2id(
  { memoryKib, time, parallelism }: Argon2Parameters,
  { salt, hash, pepperId }: { salt: Buffer; hash: Buffer; pepperId?: number | undefined },
): string {
  const keyId = pepperId === undefined ? '' : `,keyid=${encodeBase64(Buffer.from([pepperId]))}`
  const parameters = `m=${memoryKib},t=${time},p=${parallelism}${keyId}`
  return `$argon2id$v=19$${parameters}$${encodeBase64(salt)}$${encodeBase64(hash)}`
}

export const argon2Scheme: PasswordScheme = {
  rule:
    `argon2id, argon2i or argon2d (PHC string, version 19, m <= ${MEMORY_KIB_MAX}, t <= ${TIME_MAX}, ` +
    `p <= ${PARALLELISM_MAX}, m * t <= ${WORK_MAX}, m * t * p <= ${THREADED_WORK_MAX})`,
  work: argon2Work,

  // m, t and p in any order: the PHC text fixes one, the argon2 package writes another.
  parse(text) {
    const [, name, parameterList = '', keyId, saltText = '', hashText = ''] = PHC.exec(text) ?? []
    const variant = name as Argon2Variant | undefined
    const parameters = parseParameters(parameterList)
    const salt = decodeBase64(saltText)
    const hash = decodeBase64(hashText)
    const pepper = keyId === undefined ? undefined : decodeBase64(keyId)
    if (!variant || !parameters || !isBoundedCost(parameters) || !salt || !hash) return undefined
    // Only we make hashes with a pepper.
    if (keyId !== undefined && (!pepper || variant !== 'id')) return undefined
    const input = { variant, ...parameters, salt, hashBytes: hash.length }
    return {
      cost: argon2Cost(variant, parameters),
      pepperId: pepper?.readUInt8(0),
      matches: async (password, secret) =>
        isSameBytes(await deriveArgon2(password, { ...input, secret }), hash),
    }
  },
}
