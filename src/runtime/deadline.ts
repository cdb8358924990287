// A bound on waiting for something that may never answer.

/** The longest that any request waits for one dependency; 2 s in all (docs/semantics.md §12). */
export const DEPENDENCY_DEADLINE_MS = 1_500

/**
 * Settles as `work` does, or rejects with `onTimeout()` after `timeoutMs`. The work itself goes on
 * and its late result is dropped, so hand in only work that may be repeated and is harmless when it
 * ends late.
 */
export function withDeadline<T>(
  work: Promise<T>,
  timeoutMs: number,
  onTimeout: () => Error,
): Promise<T> {
  // One promise, where a race takes four: every refresh waits here.
  return new Promise((resolve, reject) => {
    const cancel = afterDeadline(timeoutMs, () => reject(onTimeout()))
    work.then(
      (value) => {
        cancel()
        resolve(value)
      },
      (error: unknown) => {
        cancel()
        reject(error)
      },
    )
  })
}

/**
 * Calls `onTimeout` after `timeoutMs` unless the returned function is called before. What has
 * arrived by then is handled first: an answer that only waits for a busy event loop is not late.
 */
export function afterDeadline(timeoutMs: number, onTimeout: () => void): () => void {
  let immediate: NodeJS.Immediate | undefined
  const timer = setTimeout(() => {
    immediate = setImmediate(onTimeout)
  }, timeoutMs)
  return () => {
    clearTimeout(timer)
    clearImmediate(immediate)
  }
}
