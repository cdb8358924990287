// How long and how often the benchmark measures, from the environment.

function readNumber(name: string, otherwise: number): number {
  const value = Number(process.env[name] || otherwise)
  if (!(value > 0)) throw new Error(`${name} must be a number above zero`)
  return value
}

/** How often each subject is measured; the median counts. */
export const ROUNDS = readNumber('BENCH_ROUNDS', 5)
/** How long one measurement lasts. */
export const SECONDS = readNumber('BENCH_SECONDS', 1)
/**
 * Before anything is measured every participant runs for so many times as long as a measurement lasts,
 * to be connected and compiled: a larger program is compiled for longer.
 */
export const WARM_UP_SHARE = 3
/** Of Lineage; its peers write no log. */
export const LOG_LEVEL = process.env.BENCH_LOG_LEVEL || 'info'
/** Requests that are under way at once, each over a connection of its own. */
export const CONNECTIONS = readNumber('BENCH_CONNECTIONS', 16)
/** How many requests of each kind are sent to count what one of them calls. */
export const COUNTED = readNumber('BENCH_COUNTED', 25)
/** The share of the full sizes that questions of scale are asked at: 1 in earnest. */
export const SCALE = readNumber('BENCH_SCALE', 1)
export const SCALE_ROUNDS = readNumber('BENCH_SCALE_ROUNDS', 5)
/** Logins of each class that `npm run bench:timing` times; of a leaky service a quarter of them. */
export const SAMPLES = readNumber('BENCH_SAMPLES', 2_000)
