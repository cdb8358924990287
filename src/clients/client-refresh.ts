// When a client's refresh tokens are replaced by their successors: the rules of the two settings.

import type { FieldError } from '../runtime/field-error.ts'
import type { Client } from './client.ts'

type Refreshing = Pick<
  Client,
  | 'type'
  | 'dpopBoundAccessTokens'
  | 'tlsClientCertificateBoundAccessTokens'
  | 'refreshRotation'
  | 'refreshRotateAfterSeconds'
  | 'refreshIdleTtlSeconds'
>

/** What is kept for longer is in effect not rotated at all, which needs a token that is bound. */
const UNBOUND_SECONDS_MAX = 60 * 60

/** Checks them with the idle time in force; gives every problem. */
export function checkRefresh(client: Refreshing): FieldError[] {
  // RFC 9700 §2.2.2: a public client's refresh tokens are rotated, or bound to their sender.
  const isBound =
    client.type === 'confidential' ||
    client.dpopBoundAccessTokens ||
    client.tlsClientCertificateBoundAccessTokens
  const errors: FieldError[] = []
  if (client.refreshRotation === 'never' && !isBound) {
    const detail =
      'must be always for a public client without dpopBoundAccessTokens or tlsClientCertificateBoundAccessTokens'
    errors.push({ pointer: '/refreshRotation', detail })
  }
  return [...errors, ...checkRotateAfter(client, isBound)]
}

function checkRotateAfter(client: Refreshing, isBound: boolean): FieldError[] {
  const { refreshRotateAfterSeconds: seconds, refreshIdleTtlSeconds: idle } = client
  const pointer = '/refreshRotateAfterSeconds'
  // Only a rotation moves the idle expiry, so one that comes later would never come.
  if (!Number.isInteger(seconds) || seconds < 0 || (seconds > 0 && seconds >= idle)) {
    return [{ pointer, detail: 'must be a whole number from 0 to below refreshIdleTtlSeconds' }]
  }
  if (isBound || seconds <= UNBOUND_SECONDS_MAX) return []
  const detail = `must be ${UNBOUND_SECONDS_MAX} at most for a public client whose tokens are not bound`
  return [{ pointer, detail }]
}
