// Every event name that a log line may carry, with its level: the list that operators search and
// alert by. Nothing is logged under a name that is not here.

import type { LogLevel } from '../runtime/log-level.ts'
import { SECURITY_EVENTS } from '../runtime/security-event.ts'

export const LOG_EVENTS = {
  'service.started': 'info',
  'service.notice': 'warn',
  'service.stopping': 'info',
  'service.stopped': 'info',
  'service.stop_failed': 'error',
  'service.stop_timed_out': 'error',
  'service.stop_forced': 'warn',
  'service.crashed': 'fatal',
  'worker.started': 'info',
  'worker.ended': 'error',
  'log.lost': 'error',

  'request.completed': 'info',
  // The caller hung up before the answer was sent.
  'request.abandoned': 'info',
  'request.refused': 'info',
  'request.failed': 'error',

  // Requests for tokens were turned away, so many of each class.
  'load.shed': 'warn',
  // There was no room for more connections: so many unused ones and newcomers were closed.
  'connections.full': 'warn',

  'telemetry.failed': 'warn',
  'telemetry.recovered': 'info',

  'tls.reloaded': 'info',
  'tls.reload_failed': 'error',

  'dependency.down': 'error',
  'dependency.up': 'info',
  'dependency.warning': 'warn',
  'database.migrated': 'info',
  'declaration.applied': 'info',
  'database.queue': 'warn',
  'work.failed': 'error',
  'jwks.failed': 'warn',
  'webhook.failed': 'warn',
  'mail.sent': 'info',
  'mail.delayed': 'warn',
  'mail.failed': 'warn',
  'mail.dropped': 'warn',

  ...SECURITY_EVENTS,
} as const satisfies Record<string, LogLevel>

export type LogEvent = keyof typeof LOG_EVENTS

/** What `logEvent` needs; pino's and Fastify's loggers have it. */
export type EventLogger = Readonly<Record<LogLevel, (fields: object) => void>>

/**
 * Writes one line under `event` at the event's level. Fields must not hold a URL, a token or a name
 * that somebody typed; test/ops/logger.test.ts shows what is removed when one slips in.
 */
export function logEvent(logger: EventLogger, event: LogEvent, fields: object = {}): void {
  logger[LOG_EVENTS[event]]({ event, ...fields })
}
