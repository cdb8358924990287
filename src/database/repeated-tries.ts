// Tries of a migration that gives way to everybody: again and again, until it is given its locks.

import { setTimeout as delay } from 'node:timers/promises'
import type pg from 'pg'
import { StartError } from '../runtime/start-error.ts'
import { describeTableWait, TELL_AFTER_MS } from './lock-holders.ts'
import type { LockOptions } from './migration-lock.ts'
import { LockNotGiven } from './table-locks.ts'

const LOCKS_WITHIN_MS = 60_000
const PAUSE_MS = 50
const PAUSE_MAX_MS = 1_000

export interface TryOptions extends Pick<LockOptions, 'onWait'> {
  /** After which no other try for locks of tables is begun; a minute unless given. */
  readonly locksWithinMs?: number
}

/**
 * What `attempt` resolves with that was given its locks. Each attempt is a transaction of its own, with
 * pauses between them in which others go on. Throws StartError, which names the migration and who was in
 * its way, when time is over.
 */
export async function tryUntilLocked<T>(
  pool: pg.Pool,
  { locksWithinMs = LOCKS_WITHIN_MS, onWait = () => {} }: TryOptions,
  attempt: () => Promise<T>,
): Promise<T> {
  const begunAtMs = performance.now()
  let told: string | undefined
  for (let pauseMs = PAUSE_MS; ; pauseMs = Math.min(2 * pauseMs, PAUSE_MAX_MS)) {
    try {
      return await attempt()
    } catch (error) {
      if (!(error instanceof LockNotGiven)) throw error
      const wait = await describeTableWait(pool, error.lock)
      const waitedMs = performance.now() - begunAtMs
      if (waitedMs >= locksWithinMs) {
        const seconds = locksWithinMs / 1_000
        throw new StartError(
          `migration ${error.migration} ${wait}: not given up in ${seconds} s, nothing was changed`,
          { cause: error },
        )
      }
      if (waitedMs >= TELL_AFTER_MS && wait !== told) {
        onWait(wait)
        told = wait
      }
    }
    // Not in step with whatever else comes again and again.
    await delay(pauseMs * (0.5 + Math.random() / 2))
  }
}
