// How a start waits for a database that is not there yet, because the two are often started together.

import { setTimeout as delay } from 'node:timers/promises'
import { describeLack } from '../database/first-contact.ts'
import type { OutageLog } from '../ops/outage-log.ts'
import { DependencyUnavailable } from '../runtime/dependency-unavailable.ts'
import { StartError } from '../runtime/start-error.ts'

const PATIENCE_MS = 30_000
const RETRY_MS = 500

/**
 * Repeats `open` for half a minute while it rejects with DependencyUnavailable, then throws StartError.
 * What waiting cannot mend is thrown at once, as a StartError where an operator can mend it.
 */
export async function withPatience<T>(outages: OutageLog, open: () => Promise<T>): Promise<T> {
  const deadlineMs = performance.now() + PATIENCE_MS
  for (;;) {
    try {
      return await open()
    } catch (cause) {
      if (!(cause instanceof DependencyUnavailable)) throw describeLack(cause) ?? cause
      if (performance.now() > deadlineMs) {
        throw new StartError(`${cause.message}; \`lineage doctor\` says what to do`, { cause })
      }
      if (cause.because === 'outage') outages.failed(cause.dependency, { err: cause })
      await delay(RETRY_MS)
    }
  }
}
