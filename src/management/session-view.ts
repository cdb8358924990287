// A session as its owner and administrators see it: one family, and how it ended (docs/semantics.md
// §3).

import type { Client } from '../clients/client.ts'
import type { EndedReason, Family, FamilyId } from '../families/family.ts'
import { findEnd } from '../families/family-rules.ts'
import type { UserRecord } from '../users/user.ts'

export interface SessionView {
  readonly id: string
  readonly clientId: string
  readonly createdAt: string
  readonly lastUsedAt: string
  readonly generation: number
  readonly expiresAt: string
  readonly idleExpiresAt: string
  readonly ip: string
  readonly userAgent: string
  readonly retriedElsewhere: number
  readonly current: boolean
  readonly status: 'active' | 'ended'
  readonly endedReason?: EndedReason
}

export interface SessionContext {
  readonly user: UserRecord | undefined
  /** Undefined when the client was deleted, which ends its sessions. */
  readonly client: Client | undefined
  readonly nowMs: number
  /** The session that asks; undefined for an administrator. */
  readonly currentFamilyId: FamilyId | undefined
}

export function toSessionView(family: Family, context: SessionContext): SessionView {
  const { user, client, nowMs, currentFamilyId } = context
  // When a client was deleted is not recorded, so any other end of the session counts as earlier.
  const validFromMs = client?.sessionsValidFrom.getTime() ?? Number.POSITIVE_INFINITY
  const end = findEnd(family, user, nowMs, validFromMs)
  return {
    id: family.familyId,
    clientId: family.clientId,
    createdAt: toIso(family.createdAtMs),
    lastUsedAt: toIso(family.usedAtMs),
    generation: family.generation,
    expiresAt: toIso(family.absoluteExpiresAtMs),
    idleExpiresAt: toIso(family.idleExpiresAtMs),
    ip: family.ip,
    userAgent: family.userAgent,
    retriedElsewhere: family.retriedElsewhere,
    current: family.familyId === currentFamilyId,
    ...(end ? { status: 'ended', endedReason: end.reason } : { status: 'active' }),
  }
}

function toIso(ms: number): string {
  return new Date(ms).toISOString()
}
