// How an id of single use is written down: as a hash, so that what a stranger chose has a bounded length
// and stands nowhere, and until when it is kept.

import { createHash } from 'node:crypto'

/** Nobody remembers an id for longer: what lives for more has to be refused before. */
const SINGLE_USE_MAX_MS = 24 * 60 * 60 * 1000

/** What the clocks of two instances may differ by at most, and then some. */
const CLOCK_SLACK_MS = 5_000

/** No two pairs of group and id have the same bytes: the length of the group goes before it. */
export function hashSingleUse(group: string, id: string): Buffer {
  return createHash('sha256').update(`${group.length}:${group}${id}`).digest()
}

/**
 * For how many ms from now an id is remembered that is of use until `untilMs`. Throws RangeError for more
 * than a day, because what forgets earlier than it says lets in twice.
 */
export function keptForMs(untilMs: number, nowMs: number): number {
  const leftMs = Math.max(0, Math.ceil(untilMs - nowMs))
  if (!(leftMs <= SINGLE_USE_MAX_MS)) throw new RangeError('an id is remembered for a day at most')
  return leftMs + CLOCK_SLACK_MS
}
