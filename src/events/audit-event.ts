// An event as it is kept and shown (docs/semantics.md §17), and when two reports are one event.

import { randomBytes } from 'node:crypto'
import { digestId, markVariant } from '../runtime/digest-id.ts'
import type { EventDetail, SecurityEvent, SecurityEventType } from '../runtime/security-event.ts'
import { sourceNetwork } from '../runtime/source-network.ts'
import { readUuid } from '../runtime/uuid.ts'

export interface AuditEvent extends Omit<SecurityEvent, 'requestId'> {
  /** A UUID. */
  readonly id: string
  readonly at: Date
}

const MINUTE_MS = 60_000

/**
 * What a caller can cause as often as it likes. Reports of one minute and source become one event
 * with a count, so that they fill neither the queue nor the table; of exchanges those between the same
 * parties.
 */
export const COUNTED_TYPES = [
  'login.failed',
  'client.authentication_failed',
  'client.cookie_too_large',
  'client.token_used_elsewhere',
  'refresh.retried',
  'refresh.retried_elsewhere',
  'token.exchanged',
] as const satisfies readonly SecurityEventType[]

/** Members that a counted event has only if all its reports agree on them. */
const SHARED_MEMBERS = ['reason', 'subject', 'clientId', 'sessionId', 'userAgent'] as const

/**
 * Gives every event its id. Ids of one maker rise, so that events of one millisecond keep their
 * order.
 */
export function openEventMaker(): (event: SecurityEvent, atMs: number) => AuditEvent {
  let last = { atMs: 0, count: 0 }
  return (event, atMs) => {
    const at = new Date(atMs)
    const identity = identityOf(event, atMs)
    if (identity === undefined) {
      last = { atMs, count: last.atMs === atMs ? (last.count + 1) % 0x1000 : 0 }
      return { ...event, id: risingId(last.atMs, last.count), at }
    }
    return { ...event, id: digestId(identity), at, ...counted(event, at) }
  }
}

function isCounted(type: SecurityEventType): boolean {
  return COUNTED_TYPES.some((counted) => counted === type)
}

/** Whether every instance reports it, each by its own time. */
export function isSeenByAll({ type }: Pick<SecurityEvent, 'type'>): boolean {
  return type.startsWith('key.')
}

/**
 * The text by which reports are the same event; undefined where each report is an event of its own.
 */
function identityOf(event: SecurityEvent, atMs: number): string | undefined {
  const { type, ip, detail } = event
  if (isCounted(type)) {
    const source = `${type} ${Math.floor(atMs / MINUTE_MS)} ${sourceNetwork(ip ?? '')}`
    return type === 'token.exchanged' ? `${source} ${partiesOf(event)}` : source
  }
  return isSeenByAll(event) ? `${type} ${detail?.kid}` : undefined
}

/** Who acts for whom, where. */
function partiesOf({ subject, clientId, detail }: SecurityEvent): string {
  return JSON.stringify([subject, clientId, detail?.actor, detail?.audience, detail?.mode])
}

function counted({ type, detail }: SecurityEvent, at: Date): { detail?: EventDetail } {
  if (!isCounted(type)) return {}
  return { detail: { ...detail, count: 1, firstAt: at.toISOString(), lastAt: at.toISOString() } }
}

/**
 * Makes one event out of two reports. Of counted ones, what they do not have in common is left out.
 */
export function mergeEvents(one: AuditEvent, other: AuditEvent): AuditEvent {
  if (!isCounted(one.type)) return one
  const { detail, ...members } = one
  const differing = SHARED_MEMBERS.filter((name) => one[name] !== other[name])
  for (const name of differing) delete (members as Partial<Record<typeof name, string>>)[name]
  return {
    ...members,
    detail: {
      ...detail,
      count: Number(detail?.count) + Number(other.detail?.count),
      ...(other.detail?.lastAt === undefined ? {} : { lastAt: other.detail.lastAt }),
    },
  }
}

/** As /admin/events and webhooks show it; unknown members are left out. */
export function toEventJson({ id, at, type, ...about }: AuditEvent): Record<string, unknown> {
  return { id, at: at.toISOString(), type, ...about }
}

/** A UUID of version 7 (RFC 9562 §5.7): rows of one time lie together in the index. */
function risingId(atMs: number, count: number): string {
  const bytes = randomBytes(16)
  bytes.writeUIntBE(atMs, 0, 6)
  bytes.writeUInt16BE(0x7000 | count, 6)
  return readUuid(markVariant(bytes), 0)
}
