// The columns of an event and how its members and they become each other.

import { knownMembers } from '../runtime/defined-members.ts'
import type { EventDetail, SecurityEventType } from '../runtime/security-event.ts'
import type { AuditEvent } from './audit-event.ts'

/** The column of each member of an event, and its type. */
const COLUMNS = {
  id: ['id', 'uuid'],
  at: ['at', 'timestamptz'],
  type: ['type', 'text'],
  reason: ['reason', 'text'],
  subject: ['subject', 'text'],
  clientId: ['client_id', 'text'],
  sessionId: ['session_id', 'text'],
  ip: ['ip', 'text'],
  userAgent: ['user_agent', 'text'],
  detail: ['detail', 'jsonb'],
} as const satisfies Record<keyof AuditEvent, readonly [column: string, type: string]>

type Texts = Exclude<keyof AuditEvent, 'id' | 'at' | 'type' | 'detail'>

/** As it is read with `EVENT_MEMBERS`. */
export interface EventRow extends Readonly<Record<Texts, string | null>> {
  readonly id: string
  readonly at: Date
  readonly type: string
  readonly detail: EventDetail | null
}

/** SQL for each member of an event, with commas between them. */
export function listMembers(toSql: (member: string, column: string, type: string) => string) {
  return Object.entries(COLUMNS)
    .map(([member, [column, type]]) => toSql(member, column, type))
    .join(', ')
}

/** What to select of a table of events. */
export const EVENT_MEMBERS = listMembers((member, column) => `${column} AS "${member}"`)

/** Only events that were written by `insertEvents` are ever read. */
export function toEvent({ id, at, type, ...about }: EventRow): AuditEvent {
  return { id, at, type: type as SecurityEventType, ...knownMembers(about) }
}
