// What a client whose tokens are bound to a key or a certificate cannot have besides.

import type { FieldError } from '../runtime/field-error.ts'
import type { Client } from './client.ts'

const BINDINGS = ['dpopBoundAccessTokens', 'tlsClientCertificateBoundAccessTokens'] as const

/** An access token in a cookie comes without a proof, and would be refused. */
export function checkBoundTokens(
  client: Pick<Client, (typeof BINDINGS)[number] | 'accessTokenCookie'>,
): FieldError[] {
  const binding = BINDINGS.find((name) => client[name])
  if (binding === undefined || !client.accessTokenCookie) return []
  return [{ pointer: '/accessTokenCookie', detail: `must be false with ${binding}` }]
}
