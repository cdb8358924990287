// Argon2id hashes as PHC strings: a strict reader with bounds, because an imported hash decides
// how much memory and time each later login costs.

import type { Argon2Parameters } from '../config.ts'

export interface PasswordHashFacts extends Argon2Parameters {
  readonly saltBytes: number
  readonly hashBytes: number
}

const PHC =
  /^\$argon2id\$v=19\$([a-z0-9=,]{11,32})\$([A-Za-z0-9+/]{11,86})\$([A-Za-z0-9+/]{22,86})$/
const PARAMETER = /^([mtp])=([1-9]\d{0,6})$/

const MEMORY_KIB_MAX = 262_144
const TIME_MAX = 16
const PARALLELISM_MAX = 16
/** RFC 9106 §3.1: a salt of at least 8 bytes, at least 8 KiB of memory a lane. */
const SALT_BYTES_MIN = 8
const MEMORY_KIB_PER_LANE_MIN = 8
const HASH_BYTES_MIN = 16
const BYTES_MAX = 64

/**
 * Undefined for anything but an argon2id hash of version 19 within bounds, in its one canonical
 * base64. m, t and p in any order: the PHC text fixes one, the argon2 package writes another.
 */
export function parsePasswordHash(text: string): PasswordHashFacts | undefined {
  const [, parameterList = '', salt = '', hash = ''] = PHC.exec(text) ?? []
  const parameters = new Map<string, number>()
  const parts = parameterList.split(',')
  for (const part of parts) {
    const [, name, value] = PARAMETER.exec(part) ?? []
    if (name !== undefined) parameters.set(name, Number(value))
  }
  const [memoryKib, time, parallelism] = ['m', 't', 'p'].map((name) => parameters.get(name))
  if (parts.length !== 3 || !memoryKib || !time || !parallelism) return undefined
  const saltBytes = decodedLength(salt)
  const hashBytes = decodedLength(hash)
  const facts = { memoryKib, time, parallelism, saltBytes, hashBytes }
  return isWithinBounds(facts) ? facts : undefined
}

/** What one hash costs, in KiB passes. */
export function workOf({ memoryKib, time }: Argon2Parameters): number {
  return memoryKib * time
}

function isWithinBounds(facts: PasswordHashFacts): boolean {
  const { memoryKib, time, parallelism, saltBytes, hashBytes } = facts
  return (
    memoryKib >= MEMORY_KIB_PER_LANE_MIN * parallelism &&
    memoryKib <= MEMORY_KIB_MAX &&
    time <= TIME_MAX &&
    parallelism <= PARALLELISM_MAX &&
    saltBytes >= SALT_BYTES_MIN &&
    saltBytes <= BYTES_MAX &&
    hashBytes >= HASH_BYTES_MIN &&
    hashBytes <= BYTES_MAX
  )
}

/** 0 for base64 that would not be written like this. */
function decodedLength(base64: string): number {
  const bytes = Buffer.from(base64, 'base64')
  return bytes.toString('base64').replace(/=+$/, '') === base64 ? bytes.length : 0
}
