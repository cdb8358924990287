// The parameters of an Argon2 hash and their bounds, because an imported hash decides how much memory
// and time each later login costs.

/** What one hash costs. */
export interface Argon2Parameters {
  readonly memoryKib: number
  /** Passes. */
  readonly time: number
  readonly parallelism: number
}

const PARAMETER = /^([mtp])=([1-9]\d{0,6})$/

export const MEMORY_KIB_MAX = 262_144
export const TIME_MAX = 16
export const PARALLELISM_MAX = 16
/** Three passes over MEMORY_KIB_MAX. */
export const WORK_MAX = 786_432
/** Each lane is a thread that takes a core from the rest: the more lanes, the less work each. */
export const THREADED_WORK_MAX = 2_097_152
/** RFC 9106 §3.1: at least 8 KiB of memory a lane. */
const MEMORY_KIB_PER_LANE_MIN = 8

/** The parameter list of a PHC string, such as `m=19456,t=2,p=1`. Bounds are not checked. */
export function parseParameters(parameterList: string): Argon2Parameters | undefined {
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
