// Argon2id over passwords, inside the hashing lanes. Every verification costs the same work, also
// when there is no hash to verify (DESIGN §7).

import { randomBytes } from 'node:crypto'
import argon2 from 'argon2'
import type { Argon2Parameters } from '../config.ts'
import type { HashingLanes } from './hashing-lanes.ts'
import { parsePasswordHash, workOf } from './password-hash.ts'
import { normalizePassword } from './password-policy.ts'

const SALT_BYTES = 16
const HASH_BYTES = 32

/** The caller has bounded the password. Both methods throw what the lanes throw. */
export interface PasswordHasher {
  /** A PHC string under the current parameters. */
  hash(password: string, signal?: AbortSignal): Promise<string>
  /**
   * False after the same work without a hash as with one. A hash from weaker parameters is made
   * up to the current work; one from stronger parameters takes as long as it takes.
   */
  verify(passwordHash: string | undefined, password: string, signal?: AbortSignal): Promise<boolean>
  /** Whether the parameters have risen since: more work, or more lanes for no less of it. */
  needsRehash(passwordHash: string): boolean
}

export function openPasswordHasher(
  parameters: Argon2Parameters,
  lanes: HashingLanes,
): PasswordHasher {
  const options = {
    type: argon2.argon2id,
    memoryCost: parameters.memoryKib,
    timeCost: parameters.time,
    parallelism: parameters.parallelism,
    hashLength: HASH_BYTES,
  } as const
  // Verifies nothing: the hash is random, so no password has it.
  const dummyHash = formatDummyHash(parameters)

  /** Spends what a weaker hash left of the current work, so that its age does not show. */
  async function spendRest(passwordHash: string, password: string): Promise<void> {
    const facts = parsePasswordHash(passwordHash)
    const rest = facts ? workOf(parameters) - workOf(facts) : 0
    const memoryCost = Math.floor(rest / parameters.time)
    if (memoryCost < 8 * parameters.parallelism) return
    await argon2.hash(password, { ...options, memoryCost, raw: true })
  }

  return {
    hash: (password, signal) =>
      lanes.run(() => argon2.hash(normalizePassword(password), options), signal),

    verify: (passwordHash = dummyHash, password, signal) =>
      lanes.run(async () => {
        const normalized = normalizePassword(password)
        const matches = await argon2.verify(passwordHash, normalized)
        await spendRest(passwordHash, normalized)
        return matches
      }, signal),

    needsRehash(passwordHash) {
      const facts = parsePasswordHash(passwordHash)
      if (!facts) return true
      const risen = workOf(parameters) - workOf(facts)
      return risen > 0 || (risen === 0 && facts.parallelism < parameters.parallelism)
    },
  }
}

function formatDummyHash({ memoryKib, time, parallelism }: Argon2Parameters): string {
  const random = (bytes: number) => randomBytes(bytes).toString('base64').replace(/=+$/, '')
  const cost = `m=${memoryKib},t=${time},p=${parallelism}`
  return `$argon2id$v=19$${cost}$${random(SALT_BYTES)}$${random(HASH_BYTES)}`
}
