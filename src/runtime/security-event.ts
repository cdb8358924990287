// What an operator must be able to find again: who did what to which session, account, client or
// key, and how it ended.

import type { LogLevel } from './log-level.ts'

/** Every type, with the level of its line in the log. */
export const SECURITY_EVENTS = {
  'login.succeeded': 'info',
  'login.failed': 'info',
  'refresh.retried': 'info',
  'refresh.retried_elsewhere': 'warn',
  'refresh.reuse_detected': 'warn',
  'families.store_behind': 'warn',
  'secret.compromised': 'fatal',
  'token.revoked': 'info',
  'token.exchanged': 'info',
  'user.created': 'info',
  // A batch of them, with their number.
  'user.imported': 'info',
  'user.updated': 'info',
  'user.disabled': 'info',
  'user.deleted': 'info',
  'user.password_changed': 'info',
  'user.password_reset_requested': 'info',
  'user.email_verification_requested': 'info',
  'user.email_verified': 'info',
  'user.factor_added': 'info',
  'user.factor_removed': 'info',
  'user.factor_used_recovery': 'info',
  'client.created': 'info',
  'client.updated': 'info',
  'client.deleted': 'info',
  'client.secret_added': 'info',
  'client.secret_removed': 'info',
  'client.authentication_failed': 'info',
  'client.cookie_too_large': 'warn',
  // A token of a platform that is used from two networks.
  'client.token_used_elsewhere': 'warn',
  'throttle.exhausted': 'warn',
  'webhook.created': 'info',
  'webhook.updated': 'info',
  'webhook.deleted': 'info',
  'webhook.secret_rotated': 'info',
  'trusted_issuer.created': 'info',
  'trusted_issuer.updated': 'info',
  'trusted_issuer.deleted': 'info',
  'key.published': 'info',
  'key.activated': 'info',
  'key.retired': 'info',
  'key.compromised': 'warn',
  // That events were lost is an event too.
  'events.dropped': 'error',
} as const satisfies Record<string, LogLevel>

export type SecurityEventType = keyof typeof SECURITY_EVENTS

export const SECURITY_EVENT_TYPES = Object.keys(SECURITY_EVENTS) as readonly SecurityEventType[]

export interface SecurityEvent {
  readonly type: SecurityEventType
  readonly reason?: string
  readonly subject?: string
  readonly clientId?: string
  readonly sessionId?: string
  readonly ip?: string
  readonly userAgent?: string
  /** Of the request that caused it: the log has it, the trail does not. */
  readonly requestId?: string
  /** `by` is who did it where that is not the subject: a user's id or a client's. */
  readonly detail?: EventDetail
}

export type EventDetail = Readonly<Record<string, string | number | readonly string[]>>

/** Takes an event without waiting and without failing. Never handed a token or a secret. */
export type RecordEvent = (event: SecurityEvent) => void

export function isSecurityEventType(text: string): text is SecurityEventType {
  return Object.hasOwn(SECURITY_EVENTS, text)
}
