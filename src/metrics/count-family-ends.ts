// Which events tell of an act that ended families, and for what reason. One act may end all families of
// a user, and nobody looks how many there were: what a user has done for years costs nothing.

import type { SecurityEvent } from '../runtime/security-event.ts'
import { FAMILY_END_REASONS, type Figures } from './figures.ts'

const REASONS: ReadonlySet<string> = new Set(FAMILY_END_REASONS)

/** Counts the act that an event tells of, if it ended families. */
export function countFamilyEnd(event: SecurityEvent, { familyEnds }: Pick<Figures, 'familyEnds'>) {
  const reason = familyEndOf(event)
  if (reason !== undefined && REASONS.has(reason)) familyEnds.add(reason)
}

function familyEndOf({ type, reason, sessionId }: SecurityEvent): string | undefined {
  switch (type) {
    case 'refresh.reuse_detected':
      return 'reuse_detected'
    case 'token.revoked':
      // An access token that a client has revoked by itself belongs to no session that ended.
      return reason === 'revoked_by_client' && sessionId === undefined ? undefined : reason
    case 'user.password_changed':
      return 'password_changed'
    case 'user.disabled':
      return 'user_disabled'
    case 'user.deleted':
      return 'user_deleted'
    default:
      return undefined
  }
}
