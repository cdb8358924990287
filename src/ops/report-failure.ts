// Logs failures of background work: an outage once, however many meet it, any other failure each
// time.

import { DependencyUnavailable } from '../runtime/dependency-unavailable.ts'
import { type EventLogger, logEvent } from './log-events.ts'
import type { OutageLog } from './outage-log.ts'

/**
 * `doing` names the work that failed in a word or two; the work is repeated without being told to.
 */
export type ReportFailure = (doing: string, err: unknown) => void

export function openFailureReport(logger: EventLogger, outages: OutageLog): ReportFailure {
  return (doing, err) => {
    if (!(err instanceof DependencyUnavailable)) logEvent(logger, 'work.failed', { doing, err })
    // Too much of our own work waiting for a connection (`queue`) is not reported as an outage.
    else if (err.because === 'outage') outages.failed(err.dependency, { err })
  }
}
