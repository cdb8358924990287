// Whether two samples of times come from one distribution: the Mann-Whitney U test. It compares ranks,
// so it asks nothing of the shape of the distribution, and the few logins that a busy machine made a
// hundred times as long weigh no more than any other. A t-test would be ruled by them.

import { spreadOf } from '../statistics.ts'

export interface Comparison {
  readonly medians: readonly [number, number]
  /** By how many standard deviations the ranks differ from those of one distribution. */
  readonly z: number
  /** Two-sided: how often chance alone makes a difference as large. */
  readonly p: number
}

/** Both samples want some twenty values at least: the normal approximation is used. */
export function compareSamples(one: readonly number[], other: readonly number[]): Comparison {
  const [n, m] = [one.length, other.length]
  const all = [
    ...one.map((ms) => ({ ms, isOne: true })),
    ...other.map((ms) => ({ ms, isOne: false })),
  ]
  all.sort((a, b) => a.ms - b.ms)
  let ranksOfOne = 0
  let ties = 0
  for (let from = 0; from < all.length; ) {
    let to = from + 1
    while (to < all.length && all[to]?.ms === all[from]?.ms) to += 1
    const equal = to - from
    // Equal values share the mean of the ranks that they take.
    const ofOne = all.slice(from, to).filter(({ isOne }) => isOne).length
    ranksOfOne += ofOne * ((from + 1 + to) / 2)
    ties += equal ** 3 - equal
    from = to
  }
  const u = ranksOfOne - (n * (n + 1)) / 2
  const total = n + m
  const variance = ((n * m) / 12) * (total + 1 - ties / (total * (total - 1)))
  const distance = Math.abs(u - (n * m) / 2)
  const z = variance > 0 ? Math.max(0, distance - 0.5) / Math.sqrt(variance) : 0
  return { medians: [spreadOf(one).median, spreadOf(other).median], z, p: bothTails(z) }
}

/** What lies beyond ±z under the normal curve; a rational approximation good to seven digits. */
function bothTails(z: number): number {
  const x = z / Math.SQRT2
  const t = 1 / (1 + x / 2)
  const terms = [
    -1.26551223, 1.00002368, 0.37409196, 0.09678418, -0.18628806, 0.27886807, -1.13520398,
    1.48851587, -0.82215223, 0.17087277,
  ]
  const sum = terms.reduceRight((rest, term) => term + t * rest, 0)
  return Math.min(1, t * Math.exp(-x * x + sum))
}
