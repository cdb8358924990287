// The published keys, held until the next moment at which one of them comes or goes: every token
// that is verified asks for them.

import { deriveStates, listPublished, type SigningKey } from './key-states.ts'

export type ListPublished = (keys: readonly SigningKey[], nowMs: number) => readonly SigningKey[]

/** Answers as `listPublished` does. */
export function keepPublished(): ListPublished {
  let known: readonly SigningKey[] = []
  let published: readonly SigningKey[] = []
  let fromMs = 0
  let untilMs = 0
  return (keys, nowMs) => {
    if (keys !== known || nowMs < fromMs || nowMs >= untilMs) {
      known = keys
      published = listPublished(keys, nowMs)
      fromMs = nowMs
      untilMs = findNextChange(keys, nowMs)
    }
    return published
  }
}

/** The first moment after `nowMs` at which the state of a key is another; Infinity without one. */
function findNextChange(keys: readonly SigningKey[], nowMs: number): number {
  const moments = deriveStates(keys, nowMs).flatMap(({ key, retireAtMs }) => [
    key.activeFromMs,
    key.signsUntilMs ?? Number.POSITIVE_INFINITY,
    retireAtMs ?? Number.POSITIVE_INFINITY,
  ])
  return Math.min(...moments.filter((atMs) => atMs > nowMs), Number.POSITIVE_INFINITY)
}
