// Time as a value that is handed in, so that tests step it.

/** The present moment in milliseconds since the epoch. */
export type Clock = () => number

/** What this machine believes, right or wrong; the service itself goes by PostgreSQL's clock. */
export const systemClock: Clock = () => Date.now()

/** For durations only: it counts from an unknown beginning, and nobody sets it. */
export const monotonicClock: Clock = () => performance.now()

/** Whole seconds since the epoch, as JWT counts them. */
export function toSeconds(ms: number): number {
  return Math.floor(ms / 1000)
}
