// How a client shows who it is: one way a file, and the list of them.

import { type PrivateKeyAuth, proveByAssertion } from './assertion-auth.ts'
import type { AuthContext, TokenForm } from './auth-request.ts'
import { type PlatformAuth, proveByPlatform } from './platform-auth.ts'
import { proveByBasic, proveByPost } from './secret-auth.ts'
import type { SecretSource } from './secret-source.ts'

export type ClientAuth =
  | { readonly method: 'client_secret_basic' | 'client_secret_post'; readonly secret: SecretSource }
  /** A public client (RFC 6749 §2.1). */
  | { readonly method: 'none' }
  | PrivateKeyAuth
  | PlatformAuth
  /** By the certificate that `fetch` presents (RFC 8705 §2). */
  | { readonly method: 'tls_client_auth' | 'self_signed_tls_client_auth' }

/** Adds to the form and the headers what proves the client. Throws TokenRequestError. */
export async function proveClient(
  auth: ClientAuth,
  form: TokenForm,
  context: AuthContext,
): Promise<void> {
  switch (auth.method) {
    case 'client_secret_basic':
      return await proveByBasic(auth.secret, form, context)
    case 'client_secret_post':
      return await proveByPost(auth.secret, form, context)
    case 'private_key_jwt':
      return await proveByAssertion(auth, form, context)
    case 'federated':
      return await proveByPlatform(auth, form, context)
    case 'none':
    case 'tls_client_auth':
    case 'self_signed_tls_client_auth':
      form.body.set('client_id', context.clientId)
  }
}

/** Whether the certificate of the connection is the proof. */
export function isByCertificate({ method }: ClientAuth): boolean {
  return method === 'tls_client_auth' || method === 'self_signed_tls_client_auth'
}
