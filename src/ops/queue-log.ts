// A line now and then while callers wait long for a connection to PostgreSQL, or are turned away: how
// many, and for how long. One for each of them would say less in more.

import type { PoolLoad } from '../runtime/pool-load.ts'
import { type EventLogger, logEvent } from './log-events.ts'

/** Between two lines; the first one waits a little, so that it tells of a burst as a whole. */
const EVERY_MS = 10_000
const FIRST_MS = 1_000

export interface QueueLog {
  /** Somebody has waited long, or was turned away. */
  congested(): void
}

export function openQueueLog(
  logger: EventLogger,
  load: () => PoolLoad,
  { everyMs = EVERY_MS, firstMs = FIRST_MS } = {},
): QueueLog {
  let told = { waits: 0, waitSeconds: 0, turnedAway: 0 }
  let toldAtMs = Number.NEGATIVE_INFINITY
  let isDue = false

  function tell(): void {
    isDue = false
    toldAtMs = performance.now()
    const { waits, waitSeconds, turnedAway, ...now } = load()
    logEvent(logger, 'database.queue', {
      ...now,
      waits: waits - told.waits,
      waitSeconds: Number((waitSeconds - told.waitSeconds).toFixed(3)),
      turnedAway: turnedAway - told.turnedAway,
    })
    told = { waits, waitSeconds, turnedAway }
  }

  return {
    congested() {
      if (isDue) return
      isDue = true
      setTimeout(tell, Math.max(firstMs, toldAtMs + everyMs - performance.now())).unref()
    },
  }
}
