// Which webhooks failed at their last attempt. They are forgotten after a day: by then every
// delivery is done or given up, so one that is still listed was deleted or disabled, or is idle.

import type { Clock } from '../runtime/clock.ts'

const FORGOTTEN_AFTER_MS = 24 * 60 * 60 * 1000

export interface FailingWebhooks {
  /** Takes note of an attempt. */
  note(id: string, isDelivered: boolean): void
  has(id: string): boolean
  ids(): string[]
}

export function openFailingWebhooks(clock: Clock): FailingWebhooks {
  const failedAtMs = new Map<string, number>()
  return {
    note(id, isDelivered) {
      if (isDelivered) failedAtMs.delete(id)
      else failedAtMs.set(id, clock())
    },

    has: (id) => failedAtMs.has(id),

    ids() {
      const sinceMs = clock() - FORGOTTEN_AFTER_MS
      for (const [id, atMs] of failedAtMs) if (atMs < sinceMs) failedAtMs.delete(id)
      return [...failedAtMs.keys()]
    },
  }
}
