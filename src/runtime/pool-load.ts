// What a pool of connections says of itself, for whoever has to tell an operator.

/** How busy the connections are, and what waiting for them has cost so far. */
export interface PoolLoad {
  readonly size: number
  readonly busy: number
  /** Who waits now. */
  readonly waiting: number
  /** How many have waited, and for how long together, whether or not in vain. */
  readonly waits: number
  readonly waitSeconds: number
  /** How many were turned away, because too many waited or they had waited too long. */
  readonly turnedAway: number
}
