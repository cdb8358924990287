// What runs by itself and fails, told where an operator looks: an outage once, whatever meets it, and
// anything else each time.

import { DependencyUnavailable } from '../runtime/dependency-unavailable.ts'
import { type EventLogger, logEvent } from './log-events.ts'
import type { OutageLog } from './outage-log.ts'

/** `doing` is what failed, in a word or two; it is tried again by itself. */
export type ReportFailure = (doing: string, err: unknown) => void

export function openFailureReport(logger: EventLogger, outages: OutageLog): ReportFailure {
  return (doing, err) => {
    if (!(err instanceof DependencyUnavailable)) logEvent(logger, 'work.failed', { doing, err })
    // A crowd of our own before the connections is no outage.
    else if (err.because === 'outage') outages.failed(err.dependency, { err })
  }
}
