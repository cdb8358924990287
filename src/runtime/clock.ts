// Time as a value that is handed in, so that tests step it.

/** The present moment in milliseconds since the epoch. */
export type Clock = () => number

export const systemClock: Clock = () => Date.now()

/** Whole seconds since the epoch, as JWT counts them. */
export function toSeconds(ms: number): number {
  return Math.floor(ms / 1000)
}
