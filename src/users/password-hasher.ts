// Hashes passwords by Argon2id and verifies hashes of every scheme, inside the hashing lanes. Every
// verification does the same work: for an unknown user without a hash, for a cheap hash and for the
// most expensive one.

import { randomBytes } from 'node:crypto'
import { openPasswordPeppers, type PasswordPeppers } from '../secrets/password-pepper.ts'
import type { Argon2Parameters } from './argon2-parameters.ts'
import type { HashingLanes, RunInLane } from './hashing-lanes.ts'
import { openPasswordCosts, type PasswordCosts } from './password-costs.ts'
import { findWork, parsePasswordHash } from './password-hash.ts'
import { normalizePassword } from './password-policy.ts'
import { isSameCost, type PasswordCost } from './password-scheme.ts'
import { formatArgon2id } from './password-schemes/argon2-scheme.ts'
import { argon2Cost, deriveArgon2 } from './password-work/argon2-work.ts'

const SALT_BYTES = 16
const HASH_BYTES = 32

/** Why a hash was not tried: no scheme takes it, or the pepper that it was made with is not configured. */
export type HashProblem = 'unknown' | 'pepper_missing'

export interface Verification {
  readonly matches: boolean
  /**
   * Whether the hash is of another scheme, other parameters or another pepper than the configured ones,
   * or of the password as it was typed and not of its normal form.
   */
  readonly isStale: boolean
  readonly problem: HashProblem | undefined
}

/** The caller has checked the length of passwords. All methods throw what the lanes throw. */
export interface PasswordHasher {
  /** A PHC string under the current parameters and pepper. */
  hash(password: string, signal?: AbortSignal): Promise<string>
  /**
   * Does the same work for every hash and for none: that of all kinds of hashes in use. A password that
   * is not in NFKC is tried in both forms, because other systems have hashed what was typed. A hash
   * with a problem counts as none.
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

/** What is left to do with a hash whose pepper is found: compare. */
interface ReadyHash {
  readonly cost: PasswordCost
  matches(password: Buffer): Promise<boolean>
}

export interface HasherOptions {
  readonly parameters: Argon2Parameters
  readonly lanes: HashingLanes
  readonly costs?: PasswordCosts | undefined
  readonly peppers?: PasswordPeppers | undefined
}

export function openPasswordHasher(options: HasherOptions): PasswordHasher {
  const { parameters, lanes, peppers = openPasswordPeppers([]) } = options
  const configured = argon2Cost('id', parameters)
  const costs = options.costs ?? openPasswordCosts(parameters)

  // Verified where there is no hash, so that to read and to compare one takes its time there as well.
  const decoy = formatArgon2id(parameters, {
    salt: randomBytes(SALT_BYTES),
    hash: randomBytes(HASH_BYTES),
    pepperId: peppers.current?.id,
  })

  async function makeHash(password: string): Promise<string> {
    const { id, key } = peppers.current ?? {}
    const salt = randomBytes(SALT_BYTES)
    const input = { variant: 'id', ...parameters, salt, hashBytes: HASH_BYTES } as const
    const bytes = Buffer.from(normalizePassword(password))
    const hash = await deriveArgon2(bytes, { ...input, secret: key })
    return formatArgon2id(parameters, { salt, hash, pepperId: id })
  }

  function readHash(text: string) {
    const hash = parsePasswordHash(text)
    if (!hash) return { problem: 'unknown' as const }
    const { cost, pepperId } = hash
    const pepper = pepperId === undefined ? undefined : peppers.byId(pepperId)
    if (pepperId !== undefined && !pepper) return { cost, problem: 'pepper_missing' as const }
    const ready: ReadyHash = { cost, matches: (bytes) => hash.matches(bytes, pepper?.key) }
    return { cost, ready, isCurrent: isSameCost(cost, configured) && pepper === peppers.current }
  }

  function verifyIn(runInLane: RunInLane): VerifyPassword {
    return (passwordHash, password, signal) =>
      runInLane(async () => {
        const { cost, ready, problem, isCurrent = false } = readHash(passwordHash ?? decoy)
        // It may have been stored after the costs were loaded; from now on all logins cost as much.
        if (cost) costs.include(cost)
        const dearest = costs.list()
        const normalized = normalizePassword(password)
        const matchesNormalized = await tryPassword(ready, Buffer.from(normalized), dearest)
        // Whether there is a second round depends on the typed password alone, not on the user.
        const matchesTyped =
          password !== normalized && (await tryPassword(ready, Buffer.from(password), dearest))
        return {
          matches: passwordHash !== undefined && (matchesNormalized || matchesTyped),
          isStale: matchesTyped || !isCurrent,
          problem,
        }
      }, signal)
  }

  return {
    hash: (password, signal) => lanes.run(() => makeHash(password), signal),
    verify: verifyIn(lanes.run),
    reserve: (work) => lanes.admit((runInLane) => work(verifyIn(runInLane))),
  }
}

/** Does all the work of `dearest`, one after the other, and the hash in the place of its own kind. */
async function tryPassword(
  hash: ReadyHash | undefined,
  password: Buffer,
  dearest: readonly PasswordCost[],
): Promise<boolean> {
  let matches: boolean | undefined
  const compare = async () => {
    matches = (await hash?.matches(password)) ?? false
  }
  for (const cost of dearest) {
    const isOfHash = hash !== undefined && isOwnPlace(cost, hash.cost)
    if (isOfHash) await compare()
    else await spend(cost, password)
    // Where work alone counts, each takes two steps, whichever of them is the longer one.
    if (cost.settings === '') {
      const spent = isOfHash ? hash.cost.work : cost.work
      await spend({ ...cost, work: cost.work - spent + 1 }, password)
    }
  }
  // Its settings are cheaper than all those that are kept of its group.
  if (matches === undefined && hash) await compare()
  return matches ?? false
}

function isOwnPlace(place: PasswordCost, own: PasswordCost): boolean {
  return place.settings === '' ? place.group === own.group : isSameCost(place, own)
}

async function spend(cost: PasswordCost, password: Buffer): Promise<void> {
  await findWork(cost)?.spend(cost, password)
}
