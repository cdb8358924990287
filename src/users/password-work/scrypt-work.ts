// scrypt (RFC 7914), computed on a thread of libuv's pool.

import { type ScryptOptions, scrypt } from 'node:crypto'
import type { PasswordCost, PasswordWork } from '../password-scheme.ts'

/** The names of RFC 7914 §2. */
export interface ScryptParameters {
  readonly N: number
  readonly r: number
  readonly p: number
}

const R_MAX = 32
const P_MAX = 16
/** 128 MiB, or 1 MiB 128 times: less than a second. */
const WORK_MAX = 1_048_576

export const SCRYPT_RULE = `r <= ${R_MAX}, p <= ${P_MAX}, N * r * p <= ${WORK_MAX}`

const SALT = Buffer.alloc(16, 'equal work')

/**
 * Undefined for what is out of bounds. Time depends on how much memory is filled as well as on how
 * often: the settings are exact.
 */
export function scryptCost({ N, r, p }: ScryptParameters): PasswordCost | undefined {
  const isPowerOfTwo = N >= 2 && Number.isInteger(Math.log2(N))
  const isWithin = r >= 1 && r <= R_MAX && p >= 1 && p <= P_MAX && N * r * p <= WORK_MAX
  if (!isPowerOfTwo || !isWithin) return undefined
  return { group: 'scrypt', work: N * r * p, settings: `${N},${r},${p}` }
}

export function deriveScrypt(
  password: Buffer,
  { N, r, p, salt, hashBytes }: ScryptParameters & { salt: Buffer; hashBytes: number },
): Promise<Buffer> {
  // OpenSSL refuses to take more than it is told, and counts a little beside the blocks.
  const options: ScryptOptions = { N, r, p, maxmem: 128 * r * (N + p) + 65_536 }
  return new Promise((resolve, reject) => {
    scrypt(password, salt, hashBytes, options, (error, hash) => {
      if (error) reject(error)
      else resolve(hash)
    })
  })
}

export const scryptWork: PasswordWork = {
  family: 'scrypt',
  async spend({ settings }, password) {
    const [N = 0, r = 0, p = 0] = settings.split(',').map(Number)
    await deriveScrypt(password, { N, r, p, salt: SALT, hashBytes: 64 })
  },
}
