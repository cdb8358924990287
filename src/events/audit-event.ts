// An event as it is kept and shown (INTERFACE §1 "event"), and when two reports are one event.

import { createHash, randomBytes } from 'node:crypto'
import type { EventDetail, SecurityEvent } from '../runtime/security-event.ts'
import { sourceNetwork } from '../runtime/source-network.ts'

export interface AuditEvent extends SecurityEvent {
  /** A UUID. */
  readonly id: string
  readonly at: Date
}

const MINUTE_MS = 60_000

/** Gives every event its id. Ids of one maker rise, so that a millisecond has an order too. */
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

/**
 * What makes an event the same one as another: failed logins are counted by minute and source, so
 * that guessing does not fill the table; each step of a key is seen by every instance.
 */
function identityOf({ type, ip, detail }: SecurityEvent, atMs: number): string | undefined {
  if (type === 'login.failed') {
    return `${type} ${Math.floor(atMs / MINUTE_MS)} ${sourceNetwork(ip ?? '')}`
  }
  return type.startsWith('key.') ? `${type} ${detail?.kid}` : undefined
}

function counted({ type, detail }: SecurityEvent, at: Date): { detail?: EventDetail } {
  if (type !== 'login.failed') return {}
  return { detail: { ...detail, count: 1, firstAt: at.toISOString(), lastAt: at.toISOString() } }
}

/** Two reports of one event. What failed logins do not have in common is left out. */
export function mergeEvents(one: AuditEvent, other: AuditEvent): AuditEvent {
  if (one.type !== 'login.failed') return one
  const { reason, clientId, userAgent, ...rest } = one
  return {
    ...rest,
    ...(reason !== undefined && reason === other.reason ? { reason } : {}),
    ...(clientId !== undefined && clientId === other.clientId ? { clientId } : {}),
    ...(userAgent !== undefined && userAgent === other.userAgent ? { userAgent } : {}),
    detail: {
      ...one.detail,
      count: Number(one.detail?.count) + Number(other.detail?.count),
      ...(other.detail?.lastAt === undefined ? {} : { lastAt: other.detail.lastAt }),
    },
  }
}

/** As /admin/events and webhooks show it; what is not known is not there. */
export function toEventJson({ id, at, type, ...about }: AuditEvent): Record<string, unknown> {
  return { id, at: at.toISOString(), type, ...about }
}

/** A UUID of version 7 (RFC 9562 §5.7): rows of one time lie together in the index. */
function risingId(atMs: number, count: number): string {
  const bytes = randomBytes(16)
  bytes.writeUIntBE(atMs, 0, 6)
  bytes.writeUInt16BE(0x7000 | count, 6)
  return formatUuid(bytes)
}

/** A UUID of version 8 (RFC 9562 §5.8): the same text gives the same id on every instance. */
function digestId(text: string): string {
  const bytes = createHash('sha256').update(text).digest().subarray(0, 16)
  bytes.writeUInt8(0x80 | (bytes.readUInt8(6) & 0x0f), 6)
  return formatUuid(bytes)
}

function formatUuid(bytes: Buffer): string {
  bytes.writeUInt8(0x80 | (bytes.readUInt8(8) & 0x3f), 8)
  return bytes.toString('hex').replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, '$1-$2-$3-$4-$5')
}
