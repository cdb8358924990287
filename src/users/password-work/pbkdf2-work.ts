// PBKDF2 (RFC 8018 §5.2), computed on a thread of libuv's pool. Time is a matter of the iterations
// alone, as long as the hash has one block, which is the length of the digest.

import { pbkdf2 } from 'node:crypto'
import type { PasswordCost, PasswordWork } from '../password-scheme.ts'

const DIGEST_BYTES = { sha1: 20, sha256: 32, sha512: 64 } as const

export type Pbkdf2Digest = keyof typeof DIGEST_BYTES

/** Somewhat less than a second each. */
const ITERATIONS_MAX = { sha1: 2_000_000, sha256: 2_000_000, sha512: 1_000_000 } as const

export const PBKDF2_RULE = `iterations <= ${ITERATIONS_MAX.sha256}, with SHA-512 <= ${ITERATIONS_MAX.sha512}`

const SALT = Buffer.alloc(16, 'equal work')

/** Undefined for what is out of bounds or no block of the digest. */
export function pbkdf2Cost(
  digest: Pbkdf2Digest,
  iterations: number,
  hash: Buffer,
): PasswordCost | undefined {
  const isWithin = iterations >= 1 && iterations <= ITERATIONS_MAX[digest]
  if (!isWithin || hash.length !== DIGEST_BYTES[digest]) return undefined
  return { group: `pbkdf2 ${digest}`, work: iterations, settings: '' }
}

export function derivePbkdf2(
  password: Buffer,
  { digest, iterations, salt }: { digest: Pbkdf2Digest; iterations: number; salt: Buffer },
): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    pbkdf2(password, salt, iterations, DIGEST_BYTES[digest], digest, (error, hash) => {
      if (error) reject(error)
      else resolve(hash)
    })
  })
}

export const pbkdf2Work: PasswordWork = {
  family: 'pbkdf2',
  async spend({ group, work: iterations }, password) {
    const digest = group.slice('pbkdf2 '.length) as Pbkdf2Digest
    await derivePbkdf2(password, { digest, iterations, salt: SALT })
  },
}
