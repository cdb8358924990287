// What an operator must be able to find again: who did what to which session, and how it ended.

export type SecurityEventType =
  | 'login.succeeded'
  | 'login.failed'
  | 'refresh.retried'
  | 'refresh.reuse_detected'
  | 'families.store_behind'
  | 'secret.compromised'
  | 'token.revoked'

export interface SecurityEvent {
  readonly type: SecurityEventType
  readonly reason?: string
  readonly subject?: string
  readonly clientId?: string
  readonly sessionId?: string
  readonly ip?: string
  readonly userAgent?: string
}

/** Takes an event without waiting and without failing. Never handed a token or a secret. */
export type RecordEvent = (event: SecurityEvent) => void
