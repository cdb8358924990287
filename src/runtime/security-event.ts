// What an operator must be able to find again: who did what to which session, account, client or
// key, and how it ended.

export const SECURITY_EVENT_TYPES = [
  'login.succeeded',
  'login.failed',
  'refresh.retried',
  'refresh.retried_elsewhere',
  'refresh.reuse_detected',
  'families.store_behind',
  'secret.compromised',
  'token.revoked',
  'user.created',
  'user.updated',
  'user.disabled',
  'user.deleted',
  'user.password_changed',
  'client.created',
  'client.updated',
  'client.deleted',
  'client.secret_added',
  'client.secret_removed',
  'client.authentication_failed',
  'client.cookie_too_large',
  'webhook.created',
  'webhook.updated',
  'webhook.deleted',
  'webhook.secret_rotated',
  'key.published',
  'key.activated',
  'key.retired',
  'key.compromised',
  // That events were lost is an event too.
  'events.dropped',
] as const

export type SecurityEventType = (typeof SECURITY_EVENT_TYPES)[number]

export interface SecurityEvent {
  readonly type: SecurityEventType
  readonly reason?: string
  readonly subject?: string
  readonly clientId?: string
  readonly sessionId?: string
  readonly ip?: string
  readonly userAgent?: string
  /** `by` is who did it where that is not the subject: a user's id or a client's. */
  readonly detail?: EventDetail
}

export type EventDetail = Readonly<Record<string, string | number | readonly string[]>>

/** Takes an event without waiting and without failing. Never handed a token or a secret. */
export type RecordEvent = (event: SecurityEvent) => void

export function isSecurityEventType(text: string): text is SecurityEventType {
  return SECURITY_EVENT_TYPES.some((type) => type === text)
}
