// A line now and then while callers wait long for a connection to PostgreSQL, or are turned away: how
// many, and for how long.

import type { PoolLoad } from '../runtime/pool-load.ts'
import { type EventLogger, logEvent } from './log-events.ts'
import { type Pace, tellNowAndThen } from './now-and-then.ts'

export interface QueueLog {
  /** Somebody has waited long, or was turned away. */
  congested(): void
}

export function openQueueLog(logger: EventLogger, load: () => PoolLoad, pace?: Pace): QueueLog {
  let told = { waits: 0, waitSeconds: 0, turnedAway: 0 }

  function tell(): void {
    const { waits, waitSeconds, turnedAway, ...now } = load()
    logEvent(logger, 'database.queue', {
      ...now,
      waits: waits - told.waits,
      waitSeconds: Number((waitSeconds - told.waitSeconds).toFixed(3)),
      turnedAway: turnedAway - told.turnedAway,
    })
    told = { waits, waitSeconds, turnedAway }
  }

  return { congested: tellNowAndThen(tell, pace) }
}
