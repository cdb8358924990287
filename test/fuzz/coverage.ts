// What an input reaches of the instrumented sources (instrument.ts): which branches, how often, and how near
// the comparisons came. Counted in this process, so that an input costs microseconds.

/** A branch is said to be reached another number of times at these counts. */
const COUNTS = [1, 2, 3, 4, 8, 16, 32, 128] as const
/** Features of one place, so that those of different places never meet. */
const PER_PLACE = 128
/** Texts that were compared and are worth a try as a piece of an input. */
const OPERANDS_MAX = 256
const OPERAND_LENGTH_MAX = 64

/** Thrown into a parser that goes on and on; it may catch it, so `isExceeded` says so as well. */
class StepsExceeded extends Error {
  override name = 'StepsExceeded'
}

export interface Coverage {
  /** Runs `act` and returns what it reached. `stepsMax` branches at most. */
  measure(act: () => void, stepsMax: number): Reached
  /** Texts that were compared with others, newest last. */
  operands(): readonly string[]
}

export interface Reached {
  /** Each a place and what happened there. */
  readonly features: readonly number[]
  /** The places alone. */
  readonly places: readonly number[]
  readonly steps: number
  readonly isExceeded: boolean
}

/** Makes the functions that instrumented sources call, for `places` places. Only one at a time can be open. */
export function openCoverage(places: number): Coverage {
  const counts = new Uint32Array(places)
  const nearest = new Uint8Array(places)
  const operands = new Set<string>()
  let touched: number[] = []
  let steps = 0
  let stepsMax = Number.POSITIVE_INFINITY

  function hit(place: number): void {
    if (counts[place] === 0) touched.push(place)
    counts[place] = (counts[place] ?? 0) + 1
    steps += 1
    if (steps > stepsMax) throw new StepsExceeded(`more than ${stepsMax} steps`)
  }

  function same(place: number, one: unknown, other: unknown): boolean {
    hit(place)
    nearest[place] = Math.max(nearest[place] ?? 0, nearness(one, other))
    if (typeof one === 'string' && typeof other === 'string' && one !== other) {
      keep(one)
      keep(other)
    }
    return one === other
  }

  function keep(operand: string): void {
    if (operand.length < 2 || operand.length > OPERAND_LENGTH_MAX) return
    operands.add(operand)
    const [oldest] = operands
    if (operands.size > OPERANDS_MAX && oldest !== undefined) operands.delete(oldest)
  }

  Object.assign(globalThis, { __hit: hit, __same: same })
  return {
    measure(act, most) {
      for (const place of touched) {
        counts[place] = 0
        nearest[place] = 0
      }
      touched = []
      steps = 0
      stepsMax = most
      try {
        act()
      } finally {
        stepsMax = Number.POSITIVE_INFINITY
      }
      const features = touched.flatMap((place) => [
        place * PER_PLACE + bucket(counts[place] ?? 0),
        place * PER_PLACE + 64 + (nearest[place] ?? 0),
      ])
      return { features, places: touched, steps, isExceeded: steps > most }
    },
    operands: () => [...operands],
  }
}

function bucket(count: number): number {
  return COUNTS.findLastIndex((least) => count >= least)
}

/** 0 for what has nothing in common, more the more characters or bits are the same, 63 at most. */
function nearness(one: unknown, other: unknown): number {
  if (one === other) return 63
  if (typeof one === 'string' && typeof other === 'string') {
    let common = 0
    while (common < 60 && common < one.length && one[common] === other[common]) common += 1
    return common + (one.length === other.length ? 1 : 0)
  }
  if (typeof one === 'number' && typeof other === 'number') {
    return Math.clz32(Math.abs(one - other)) + 1
  }
  return 0
}
