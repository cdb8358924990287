// Medians and how far the values lie apart.

/** The middle of the values, and the quarters below and above which a quarter of them lies. */
export interface Spread {
  readonly median: number
  readonly low: number
  readonly high: number
}

/** Of values in ascending order; between two of them it is interpolated. */
export function quantile(sorted: readonly number[], share: number): number {
  const at = (sorted.length - 1) * share
  const below = sorted[Math.floor(at)] ?? Number.NaN
  const above = sorted[Math.ceil(at)] ?? Number.NaN
  return below + (above - below) * (at - Math.floor(at))
}

/** Of values in any order. */
export function median(values: readonly number[]): number {
  return quantile(
    [...values].sort((a, b) => a - b),
    0.5,
  )
}

export function spreadOf(values: readonly number[]): Spread {
  const sorted = [...values].sort((a, b) => a - b)
  return {
    median: shorten(quantile(sorted, 0.5)),
    low: shorten(quantile(sorted, 0.25)),
    high: shorten(quantile(sorted, 0.75)),
  }
}

/** Four digits are more than a measurement is good for. */
export function shorten(value: number): number {
  return Number(value.toPrecision(4))
}
