// Which proofs were seen already (RFC 9449 §11.1). In memory, for one process; where several answer for one
// API, something that they share takes its place.

import { createHash } from 'node:crypto'
import { UnavailableError } from './verify-errors.ts'

export interface ProofReplays {
  /**
   * Whether the id of a proof by this key is met for the first time; it is remembered until `untilMs`.
   * Atomic where processes share it.
   */
  take(keyThumbprint: string, id: string, untilMs: number): boolean | Promise<boolean>
}

const ENTRIES_MAX = 100_000
/** So that the holder of one good token cannot use up the room of all others. */
const ENTRIES_OF_A_KEY_MAX = 10_000

/** Nothing is forgotten early: when there is no room the request is refused as one to repeat later. */
export function createProofReplays(
  nowMs: () => number,
  { max = ENTRIES_MAX, maxOfKey = ENTRIES_OF_A_KEY_MAX } = {},
): ProofReplays {
  const seen = new Map<string, { readonly key: string; readonly untilMs: number }>()
  const counts = new Map<string, number>()

  /** All live about as long as each other, so the first ones end first. */
  function sweep(): void {
    for (const [hash, { key, untilMs }] of seen) {
      if (untilMs > nowMs()) return
      seen.delete(hash)
      const left = (counts.get(key) ?? 1) - 1
      if (left === 0) counts.delete(key)
      else counts.set(key, left)
    }
  }

  return {
    take(key, id, untilMs) {
      sweep()
      const hash = createHash('sha256').update(`${key}\0${id}`).digest('base64')
      if (seen.has(hash)) return false
      const count = counts.get(key) ?? 0
      if (seen.size >= max || count >= maxOfKey) {
        throw new UnavailableError('too many proofs at a time', 1)
      }
      seen.set(hash, { key, untilMs })
      counts.set(key, count + 1)
      return true
    },
  }
}
