// Waiting for what other processes do.

import { setTimeout as delay } from 'node:timers/promises'

const POLL_MS = 25

/** Asks until `found` gives something and returns it; throws after `timeoutMs`, naming `what`. */
export async function until<T>(
  what: string,
  found: () => Promise<T | undefined | false> | T | undefined | false,
  timeoutMs = 60_000,
): Promise<T> {
  const giveUpAt = performance.now() + timeoutMs
  for (;;) {
    const result = await found()
    if (result !== undefined && result !== false) return result
    if (performance.now() > giveUpAt) throw new Error(`${what}: not within ${timeoutMs} ms`)
    await delay(POLL_MS)
  }
}
