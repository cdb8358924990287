// Many acts on a store, so many of them under way at once, and what one of them cost.

/** In order of their start; `atOnce` at a time. */
export async function forEachOf<T, R>(
  items: readonly T[],
  act: (item: T) => Promise<R>,
  atOnce: number,
): Promise<R[]> {
  const results: R[] = []
  let next = 0
  const work = async () => {
    for (let i = next++; i < items.length; i = next++) results[i] = await act(items[i] as T)
  }
  await Promise.all(Array.from({ length: atOnce }, work))
  return results
}

export const upTo = (count: number): number[] => Array.from({ length: count }, (_, index) => index)

/** What a clock or counter says that `act` cost, for each of `count`. */
export async function costOf(
  count: number,
  read: () => Promise<number> | number,
  act: () => Promise<unknown>,
): Promise<number> {
  const from = await read()
  await act()
  return ((await read()) - from) / count
}
