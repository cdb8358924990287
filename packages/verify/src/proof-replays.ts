// Which proofs were seen already (RFC 9449 §11.1). In memory, for one process; where several answer for one
// API, something that they share takes its place.

import { createHash } from 'node:crypto'
import { UnavailableError } from './verify-errors.ts'

type Seen = Map<string, { readonly key: string; readonly untilMs: number }>

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
  let seen: Seen = new Map()
  /** From before the clock was set back: good again when it is there again, so not forgotten until then. */
  let ahead: Seen = new Map()
  let lastMs = Number.NEGATIVE_INFINITY
  const counts = new Map<string, number>()

  /** All live about as long as each other, so the first ones end first. */
  function sweep(entries: Seen, now: number): void {
    for (const [hash, { key, untilMs }] of entries) {
      if (untilMs > now) return
      entries.delete(hash)
      const left = (counts.get(key) ?? 1) - 1
      if (left === 0) counts.delete(key)
      else counts.set(key, left)
    }
  }

  return {
    take(key, id, untilMs) {
      const now = nowMs()
      if (now < lastMs) {
        // Else what ends late would keep whatever comes now from being swept.
        ahead = new Map([...seen, ...ahead])
        seen = new Map()
      }
      lastMs = now
      sweep(seen, now)
      sweep(ahead, now)
      const hash = createHash('sha256').update(`${key}\0${id}`).digest('base64')
      if (seen.has(hash) || ahead.has(hash)) return false
      const count = counts.get(key) ?? 0
      if (seen.size + ahead.size >= max || count >= maxOfKey) {
        throw new UnavailableError('too many proofs at a time', 1)
      }
      seen.set(hash, { key, untilMs })
      counts.set(key, count + 1)
      return true
    },
  }
}
