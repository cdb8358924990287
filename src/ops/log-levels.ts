// A level for each concern of the log beside the one for all of it. A concern is the word before the
// dot of an event's name; `security` stands for all events of the audit trail, whatever their words.

import { type Logger, pino } from 'pino'
import type { LogLevel, LogThreshold } from '../runtime/log-level.ts'
import { isSecurityEventType } from '../runtime/security-event.ts'
import { LOG_EVENTS, type LogEvent } from './log-events.ts'

/** Of every event whose concern has no level of its own, where it is an event of the audit trail. */
const SECURITY = 'security'

/** What may be given a level, in the order of the list of events. */
export const LOG_CONCERNS: readonly string[] = [
  ...new Set([...Object.keys(LOG_EVENTS).map(concernOf), SECURITY]),
]

/** By the name of the concern; what is not in it has the level of the whole log. */
export type ConcernLevels = ReadonlyMap<string, LogThreshold>

/** Whether a line of that event, or one of no event that is listed, is written at that level. */
type IsWritten = (event: unknown, level: number) => boolean

/** Where a logger, and whatever is derived from it, keeps its rule. */
const RULE = Symbol('levels of concerns')

/** The level at which pino must let lines through, so that the rule can choose among them. */
export function lowestLevel(level: LogThreshold, concerns: ConcernLevels): LogThreshold {
  return [level, ...concerns.values()].reduce((low, next) =>
    numberOf(next) < numberOf(low) ? next : low,
  )
}

/** Undefined where one level is that of all: pino's own comparison is enough then. */
export function openConcernRule(
  level: LogThreshold,
  concerns: ConcernLevels,
): IsWritten | undefined {
  if (concerns.size === 0) return undefined
  const others = numberOf(level)
  const thresholds = new Map<unknown, number>(
    (Object.keys(LOG_EVENTS) as LogEvent[]).map((event) => {
      const ofTrail = isSecurityEventType(event) ? concerns.get(SECURITY) : undefined
      return [event, numberOf(concerns.get(concernOf(event)) ?? ofTrail ?? level)]
    }),
  )
  return (event, number) => number >= (thresholds.get(event) ?? others)
}

/** Lets `isEventWritten` know. */
export function keepConcernRule(logger: Logger, rule: IsWritten | undefined): void {
  Object.assign(logger, { [RULE]: rule })
}

/** For whoever writes lines past the logger: it never changes while the logger lives. */
export function isEventWritten(logger: Logger, event: LogEvent): boolean {
  const level: LogLevel = LOG_EVENTS[event]
  const rule = (logger as Logger & { readonly [RULE]?: IsWritten })[RULE]
  return logger.isLevelEnabled(level) && (rule?.(event, numberOf(level)) ?? true)
}

function concernOf(event: string): string {
  return event.slice(0, event.indexOf('.'))
}

/** `silent` is above all of them. */
function numberOf(level: LogThreshold): number {
  return pino.levels.values[level] ?? Number.POSITIVE_INFINITY
}
