// Random numbers that are the same for the same seed.

export interface Random {
  /** From 0 up to, and without, `end`. */
  below(end: number): number
  pick<T>(items: readonly [T, ...T[]]): T
  pick<T>(items: readonly T[]): T | undefined
}

/** The generator of Park and Miller: small, and good enough to choose mutations by. */
export function openRandom(seed: number): Random {
  let state = (Math.abs(Math.trunc(seed)) % 2_147_483_646) + 1
  const below = (end: number) => {
    state = (state * 48_271) % 2_147_483_647
    return Math.floor((state / 2_147_483_647) * end)
  }
  const pick = <T>(items: readonly T[]) => items[below(items.length)] as T
  return { below, pick }
}
