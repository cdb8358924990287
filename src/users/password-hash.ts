// Argon2id hashes as PHC strings: a strict reader with bounds, because an imported hash decides
// how much memory and time each later login costs.

/** What one hash costs. */
export interface Argon2Parameters {
  readonly memoryKib: number
  /** Passes. */
  readonly time: number
  readonly parallelism: number
}

// RFC 9106 §3.1 wants a salt of at least 8 bytes, which are 11 characters. A hash has at least 16,
// and both have at most 64.
const PHC =
  /^\$argon2id\$v=19\$([a-z0-9=,]{11,32})\$([A-Za-z0-9+/]{11,86})\$([A-Za-z0-9+/]{22,86})$/
const PARAMETER = /^([mtp])=([1-9]\d{0,6})$/

const MEMORY_KIB_MAX = 262_144
const TIME_MAX = 16
export const PARALLELISM_MAX = 16
/** Three passes over MEMORY_KIB_MAX. */
export const WORK_MAX = 786_432
/** Each lane is a thread that takes a core from the rest: the more lanes, the less work each. */
export const THREADED_WORK_MAX = 2_097_152
/** RFC 9106 §3.1: at least 8 KiB of memory a lane. */
export const MEMORY_KIB_PER_LANE_MIN = 8

/**
 * What a hash costs; undefined for anything but an argon2id hash of version 19 within bounds, in its
 * one canonical base64. m, t and p in any order: the PHC text fixes one, the argon2 package writes
 * another.
 */
export function parsePasswordHash(text: string): Argon2Parameters | undefined {
  const [, parameterList = '', salt = '', hash = ''] = PHC.exec(text) ?? []
  const cost = parseCost(parameterList)
  const isAccepted = cost && isBoundedCost(cost) && isCanonical(salt) && isCanonical(hash)
  return isAccepted ? cost : undefined
}

/** The parameter list of a PHC string, such as `m=19456,t=2,p=1`. Bounds are not checked. */
export function parseCost(parameterList: string): Argon2Parameters | undefined {
  const parameters = new Map<string, number>()
  const parts = parameterList.split(',')
  for (const part of parts) {
    const [, name, value] = PARAMETER.exec(part) ?? []
    if (name !== undefined) parameters.set(name, Number(value))
  }
  const [memoryKib, time, parallelism] = ['m', 't', 'p'].map((name) => parameters.get(name))
  if (parts.length !== 3 || !memoryKib || !time || !parallelism) return undefined
  return { memoryKib, time, parallelism }
}

/** What a hash has to be; continues a sentence that begins with the name of the member. */
export const PASSWORD_HASH_RULE =
  `must be an argon2id PHC string, version 19, with m <= ${MEMORY_KIB_MAX}, t <= ${TIME_MAX}, ` +
  `p <= ${PARALLELISM_MAX}, m * t <= ${WORK_MAX} and m * t * p <= ${THREADED_WORK_MAX}`

/** Whether a login may cost this much. */
export function isBoundedCost(cost: Argon2Parameters): boolean {
  const { memoryKib, time, parallelism } = cost
  return (
    memoryKib >= MEMORY_KIB_PER_LANE_MIN * parallelism &&
    memoryKib <= MEMORY_KIB_MAX &&
    time <= TIME_MAX &&
    parallelism <= PARALLELISM_MAX &&
    workOf(cost) <= WORK_MAX &&
    workOf(cost) * parallelism <= THREADED_WORK_MAX
  )
}

/** What one hash costs, in KiB passes. */
export function workOf({ memoryKib, time }: Argon2Parameters): number {
  return memoryKib * time
}

/** Whether this is how its bytes are written; false for a length that no base64 has. */
function isCanonical(base64: string): boolean {
  return Buffer.from(base64, 'base64').toString('base64').replace(/=+$/, '') === base64
}
