// Which line of a file had a key first, for files of any length: 12 bytes a slot and no strings, for
// the first keys of a file.

import { createHash } from 'node:crypto'
import type { SeenKeys } from '../management/user-import.ts'

/** About a million users. Of what comes after these, repetitions are not noticed. */
const KEYS_MAX = 3_000_000
const SLOTS_MIN = 1_024

/** Keys are told apart by 64 bits of their digest: two of three million meet once in a million times. */
export function openSeenKeys(keysMax = KEYS_MAX): SeenKeys {
  let prints = new BigUint64Array(SLOTS_MIN)
  let lines = new Uint32Array(SLOTS_MIN)
  let count = 0

  /** Where the key is, or would be. A line is never 0, which marks what is free. */
  function slotOf(print: bigint): number {
    let slot = Number(print % BigInt(prints.length))
    while (lines[slot] !== 0 && prints[slot] !== print) slot = (slot + 1) % prints.length
    return slot
  }

  function put(print: bigint, line: number): void {
    const slot = slotOf(print)
    prints[slot] = print
    lines[slot] = line
  }

  function grow(): void {
    const [oldPrints, oldLines] = [prints, lines]
    prints = new BigUint64Array(oldPrints.length * 2)
    lines = new Uint32Array(oldLines.length * 2)
    for (const [slot, line] of oldLines.entries()) {
      if (line !== 0) put(oldPrints[slot] ?? 0n, line)
    }
  }

  return {
    get(key) {
      return lines[slotOf(printOf(key))] || undefined
    },
    set(key, line) {
      if (count >= keysMax) return
      count += 1
      if (count > prints.length / 2) grow()
      put(printOf(key), line)
    },
  }
}

function printOf(key: string): bigint {
  return createHash('sha256').update(key).digest().readBigUInt64LE()
}
