// A bound on waiting for something that may never answer.

/** The longest that any request waits on one dependency (DESIGN §12 allows 2 s in all). */
export const DEPENDENCY_DEADLINE_MS = 1_500

/**
 * Settles as `work` does, or rejects with `onTimeout()` after `timeoutMs`. The work itself goes on
 * and its late result is dropped, so only hand in what may be repeated or is harmless late.
 */
export async function withDeadline<T>(
  work: Promise<T>,
  timeoutMs: number,
  onTimeout: () => Error,
): Promise<T> {
  let cancel = () => {}
  const timeout = new Promise<never>((_, reject) => {
    cancel = afterDeadline(timeoutMs, () => reject(onTimeout()))
  })
  try {
    return await Promise.race([work, timeout])
  } finally {
    cancel()
  }
}

/**
 * Calls `onTimeout` after `timeoutMs` unless the returned function is called before. What had arrived
 * by then is heard first: an answer that only waits for a busy event loop is no late one.
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
