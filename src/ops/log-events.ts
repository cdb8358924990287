// Every event name that a log line may carry, with its level: the list that operators search and
// alert by. Nothing is logged under a name that is not here.

import type { SecurityEventType } from '../runtime/security-event.ts'

export type LogLevel = 'debug' | 'info' | 'warn' | 'error' | 'fatal'

export const LOG_EVENTS = {
  'service.started': 'info',
  'service.notice': 'warn',
  'service.stopping': 'info',
  'service.stopped': 'info',
  'service.stop_failed': 'error',
  'service.stop_timed_out': 'error',
  'service.stop_forced': 'warn',
  'service.crashed': 'fatal',
  'log.lost': 'error',

  'request.completed': 'info',
  'request.refused': 'info',
  'request.failed': 'error',

  'dependency.down': 'error',
  'dependency.up': 'info',
  'dependency.warning': 'warn',
  'database.migrated': 'info',
  'work.failed': 'error',

  'key.published': 'info',
  'key.activated': 'info',
  'key.retired': 'info',
  'key.compromised': 'warn',

  'login.succeeded': 'info',
  'login.failed': 'info',
  'refresh.retried': 'info',
  'refresh.retried_elsewhere': 'warn',
  'refresh.reuse_detected': 'warn',
  'families.store_behind': 'warn',
  'secret.compromised': 'fatal',
  'token.revoked': 'info',
  'user.created': 'info',
  'user.updated': 'info',
  'user.disabled': 'info',
  'user.deleted': 'info',
  'user.password_changed': 'info',
  'client.created': 'info',
  'client.updated': 'info',
  'client.deleted': 'info',
  'client.secret_added': 'info',
  'client.secret_removed': 'info',
  'client.authentication_failed': 'info',
  'client.cookie_too_large': 'warn',
  'webhook.created': 'info',
  'webhook.updated': 'info',
  'webhook.deleted': 'info',
  'webhook.secret_rotated': 'info',
  'events.dropped': 'error',

  'webhook.failed': 'warn',
} as const satisfies Record<string, LogLevel> & Record<SecurityEventType, LogLevel>

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
