// One line now and then instead of one for each of very many things, which would say less in more.

/** Between two lines; the first one waits a little, so that it tells of a burst as a whole. */
const EVERY_MS = 10_000
const FIRST_MS = 1_000

export interface Pace {
  readonly everyMs?: number
  readonly firstMs?: number
}

/** Returns what to call when there is something to tell; `tell` is called now and then. */
export function tellNowAndThen(
  tell: () => void,
  { everyMs = EVERY_MS, firstMs = FIRST_MS }: Pace = {},
): () => void {
  let toldAtMs = Number.NEGATIVE_INFINITY
  let isDue = false
  return () => {
    if (isDue) return
    isDue = true
    const waitMs = Math.max(firstMs, toldAtMs + everyMs - performance.now())
    setTimeout(() => {
      isDue = false
      toldAtMs = performance.now()
      tell()
    }, waitMs).unref()
  }
}
