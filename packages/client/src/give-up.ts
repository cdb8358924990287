// Waiting that ends when nobody wants the outcome any more.

/** Rejects with the reason of `signal` once it is aborted, whatever the work then comes to. */
export async function givenUpWith<T>(
  signal: AbortSignal | undefined,
  work: Promise<T>,
): Promise<T> {
  if (!signal) return await work
  const waiting = new AbortController()
  const aborted = new Promise<never>((_, reject) => {
    const giveUp = () => reject(signal.reason)
    if (signal.aborted) giveUp()
    signal.addEventListener('abort', giveUp, { once: true, signal: waiting.signal })
  })
  try {
    return await Promise.race([work, aborted])
  } finally {
    waiting.abort()
    work.catch(() => {})
    aborted.catch(() => {})
  }
}
