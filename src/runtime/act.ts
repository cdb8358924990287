// Who did what an event tells of, and from where: one form for requests, commands and the service.

import type { SecurityEvent } from './security-event.ts'

export interface Act {
  /** The id of a user or a client, `lineage:cli` or `lineage:apply`; undefined where it is the event's subject. */
  readonly by?: string
  readonly ip?: string
  readonly userAgent?: string
  /** Of the request, for the log alone. */
  readonly requestId?: string
}

/** The event with the act that it came from. Without one it happened by itself. */
export function withAct({ detail, ...event }: SecurityEvent, act: Act = {}): SecurityEvent {
  const { by, ...source } = act
  const told = { ...(by !== undefined && { by }), ...detail }
  return { ...event, ...source, ...(Object.keys(told).length > 0 && { detail: told }) }
}

/** Whom a guess comes from. */
export function senderOf({ ip = '', requestId }: Act): {
  readonly ip: string
  readonly requestId: string | undefined
} {
  return { ip, requestId }
}
