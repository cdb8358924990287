// A client that the platform it runs on vouches for: the platform's token is the assertion (RFC 7521 §4.2).

import { type AuthContext, JWT_ASSERTION_TYPE, type TokenForm } from './auth-request.ts'
import { readSecret, type SecretSource } from './secret-source.ts'

export interface PlatformAuth {
  readonly method: 'federated'
  readonly token: SecretSource
  /** By default that of RFC 7523 §2.2. */
  readonly assertionType?: string
}

export async function proveByPlatform(
  { token, assertionType = JWT_ASSERTION_TYPE }: PlatformAuth,
  { body }: TokenForm,
  { clientId }: AuthContext,
): Promise<void> {
  body.set('client_id', clientId)
  body.set('client_assertion_type', assertionType)
  body.set('client_assertion', await readSecret(token))
}
