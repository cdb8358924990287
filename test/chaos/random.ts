// Chance that is repeated by its seed.

export interface Random {
  /** At least 0, below 1. */
  next(): number
  /** A whole number from `min` to `max`, both included. */
  between(min: number, max: number): number
  pick<T>(items: readonly T[]): T
  /** One of its own, so that what one actor draws does not depend on how fast another is. */
  fork(name: string): Random
}

/** mulberry32, over a hash of the seed. */
export function openRandom(seed: number | string): Random {
  let state = hash(String(seed))
  const random: Random = {
    next() {
      state = (state + 0x6d2b79f5) | 0
      let mixed = Math.imul(state ^ (state >>> 15), 1 | state)
      mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed
      return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32
    },
    between: (min, max) => min + Math.floor(random.next() * (max - min + 1)),
    pick(items) {
      const item = items[random.between(0, items.length - 1)]
      if (item === undefined) throw new Error('nothing to pick from')
      return item
    },
    fork: (name) => openRandom(`${seed} ${name}`),
  }
  return random
}

/** FNV-1a. */
function hash(text: string): number {
  let value = 0x811c9dc5
  for (const byte of Buffer.from(text)) value = Math.imul(value ^ byte, 0x01000193)
  return value
}
