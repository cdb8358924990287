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

/** Checks them with the idle time in force; gives every problem. */
export function checkRefresh(client: Refreshing): FieldError[] {
  const errors: FieldError[] = []
  // RFC 9700 §2.2.2: a public client's refresh tokens are rotated, or bound to their sender.
  const isBound =
    client.type === 'confidential' ||
    client.dpopBoundAccessTokens ||
    client.tlsClientCertificateBoundAccessTokens
  if (client.refreshRotation === 'never' && !isBound) {
    const detail =
      'must be always for a public client without dpopBoundAccessTokens or tlsClientCertificateBoundAccessTokens'
    errors.push({ pointer: '/refreshRotation', detail })
  }
  const seconds = client.refreshRotateAfterSeconds
  // Only a rotation moves the idle expiry, so one that comes later would never come.
  const isGood = seconds > 0 && seconds < client.refreshIdleTtlSeconds
  if (!Number.isInteger(seconds) || !(seconds === 0 || isGood)) {
    const detail = 'must be a whole number from 0 to below refreshIdleTtlSeconds'
    errors.push({ pointer: '/refreshRotateAfterSeconds', detail })
  }
  return errors
}
