// What a client whose tokens are bound to a key cannot have besides.

import type { FieldError } from '../runtime/field-error.ts'
import type { Client } from './client.ts'

/** An access token in a cookie comes without a proof, and would be refused. */
export function checkDpop({
  dpopBoundAccessTokens,
  accessTokenCookie,
}: Pick<Client, 'dpopBoundAccessTokens' | 'accessTokenCookie'>): FieldError[] {
  if (!dpopBoundAccessTokens || !accessTokenCookie) return []
  return [{ pointer: '/accessTokenCookie', detail: 'must be false with dpopBoundAccessTokens' }]
}
