// Parsers with a fault each for the search to find: one that chance would not, behind several right bytes, and
// one that shows in the work alone.

import { type FuzzTarget, holds } from './fuzz-target.ts'

/** How many of the first bytes are those of the word `proof`. */
export function countRight(bytes: Buffer): number {
  if (bytes[0] !== 0x70) return 0
  if (bytes[1] !== 0x72) return 1
  if (bytes[2] !== 0x6f) return 2
  if (bytes[3] !== 0x6f) return 3
  return bytes[4] === 0x66 ? 5 : 4
}

/** Takes time by the square of its input. */
export function countPairs(text: string): number {
  let same = 0
  for (const one of text) for (const other of text) if (one === other) same += 1
  return same
}

const word: FuzzTarget = {
  name: 'planted-word',
  covers: ['test/fuzz/planted-parser.ts countRight'],
  seeds: ['-'],
  tokens: [],
  check(input) {
    holds(countRight(input) < 5, 'the word is never there')
    return false
  },
}

const pairs: FuzzTarget = {
  name: 'planted-pairs',
  covers: ['test/fuzz/planted-parser.ts countPairs'],
  seeds: ['ab'],
  tokens: [],
  check: (input) => countPairs(input.toString()) > 0,
}

export const TARGETS: readonly FuzzTarget[] = [word, pairs]
