// Argon2id over passwords, inside the hashing lanes. Every verification does the same work: for an
// unknown user without a hash, for a cheap hash and for the most expensive one.

import { randomBytes } from 'node:crypto'
import argon2 from 'argon2'
import type { HashingLanes, RunInLane } from './hashing-lanes.ts'
import { openPasswordCosts, type PasswordCosts } from './password-costs.ts'
import {
  type Argon2Parameters,
  MEMORY_KIB_PER_LANE_MIN,
  parsePasswordHash,
  workOf,
} from './password-hash.ts'
import { normalizePassword } from './password-policy.ts'

const SALT_BYTES = 16
const HASH_BYTES = 32

export interface Verification {
  readonly matches: boolean
  /**
   * Whether the hash is of other parameters than the configured ones, or of the password as it was
   * typed and not of its normal form.
   */
  readonly isStale: boolean
}

/** The caller has checked the length of passwords. All methods throw what the lanes throw. */
export interface PasswordHasher {
  /** A PHC string under the current parameters. */
  hash(password: string, signal?: AbortSignal): Promise<string>
  /**
   * Does the same work for every hash and for none: that of the most expensive hash of each
   * parallelism in use. A password that is not in NFKC is tried in both forms, because other
   * systems have hashed what was typed. A hash out of bounds counts as none.
   */
  verify: VerifyPassword
  /**
   * Reserves a place in the lanes for `work`, which looks the hash up and verifies it by the
   * function that it is given. So a login for which there is no place is refused before it costs a
   * query.
   */
  reserve<T>(work: (verify: VerifyPassword) => Promise<T>): Promise<T>
}

export type VerifyPassword = (
  passwordHash: string | undefined,
  password: string,
  signal?: AbortSignal,
) => Promise<Verification>

interface StoredHash {
  readonly text: string
  readonly cost: Argon2Parameters
}

export function openPasswordHasher(
  parameters: Argon2Parameters,
  lanes: HashingLanes,
  costs: PasswordCosts = openPasswordCosts(parameters),
): PasswordHasher {
  const salt = randomBytes(SALT_BYTES)
  const optionsOf = ({ memoryKib, time, parallelism }: Argon2Parameters) => ({
    type: argon2.argon2id,
    memoryCost: memoryKib,
    timeCost: time,
    parallelism,
    hashLength: HASH_BYTES,
  })

  /** Hashes only to spend the time that it takes. */
  async function spend(cost: Argon2Parameters, password: string): Promise<void> {
    await argon2.hash(password, { ...optionsOf(cost), salt, raw: true })
  }

  /** Spends the difference between a hash and the most expensive one of the same parallelism. */
  async function spendRest(
    cost: Argon2Parameters,
    spent: Argon2Parameters,
    password: string,
  ): Promise<void> {
    const memoryKib = Math.floor((workOf(cost) - workOf(spent)) / cost.time)
    if (memoryKib < MEMORY_KIB_PER_LANE_MIN * cost.parallelism) return
    await spend({ ...cost, memoryKib }, password)
  }

  async function tryPassword(
    hash: StoredHash | undefined,
    password: string,
    mostExpensive: readonly Argon2Parameters[],
  ): Promise<boolean> {
    let matches = false
    for (const cost of mostExpensive) {
      if (hash?.cost.parallelism === cost.parallelism) {
        matches = await argon2.verify(hash.text, password)
        await spendRest(cost, hash.cost, password)
      } else {
        await spend(cost, password)
      }
    }
    return matches
  }

  function verifyIn(runInLane: RunInLane): VerifyPassword {
    return (passwordHash, password, signal) =>
      runInLane(async () => {
        const cost = passwordHash === undefined ? undefined : parsePasswordHash(passwordHash)
        const hash = passwordHash !== undefined && cost ? { text: passwordHash, cost } : undefined
        // It may have been stored after the costs were loaded; from now on all logins cost as much.
        if (cost) costs.include(cost)
        const mostExpensive = costs.list()
        const normalized = normalizePassword(password)
        const matchesNormalized = await tryPassword(hash, normalized, mostExpensive)
        // Whether there is a second round depends on the typed password alone, not on the user.
        const matchesTyped =
          password !== normalized && (await tryPassword(hash, password, mostExpensive))
        return {
          matches: matchesNormalized || matchesTyped,
          isStale: matchesTyped || !cost || !isSameCost(cost, parameters),
        }
      }, signal)
  }

  return {
    hash: (password, signal) =>
      lanes.run(() => argon2.hash(normalizePassword(password), optionsOf(parameters)), signal),
    verify: verifyIn(lanes.run),
    reserve: (work) => lanes.admit((runInLane) => work(verifyIn(runInLane))),
  }
}

function isSameCost(one: Argon2Parameters, other: Argon2Parameters): boolean {
  return (
    one.memoryKib === other.memoryKib &&
    one.time === other.time &&
    one.parallelism === other.parallelism
  )
}
