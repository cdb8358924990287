// The client authentication methods that there are: one line each. What requests may use, the
// metadata, what clients may list and what the command line offers all follow from this list.

import type { AuthenticationMethod } from './authentication-method.ts'
import { clientSecretBasic } from './client-secret-basic.ts'
import { clientSecretPost } from './client-secret-post.ts'
import { federatedJwt } from './federated-jwt.ts'
import { none } from './none.ts'
import { privateKeyJwt } from './private-key-jwt.ts'
import { selfSignedTlsClientAuth } from './self-signed-tls-client-auth.ts'
import { tlsClientAuth } from './tls-client-auth.ts'

export const AUTHENTICATION_METHODS: readonly AuthenticationMethod[] = [
  clientSecretBasic,
  clientSecretPost,
  privateKeyJwt,
  federatedJwt,
  tlsClientAuth,
  selfSignedTlsClientAuth,
  none,
]

/** Their names, in the same order. */
export const AUTH_METHODS: readonly string[] = AUTHENTICATION_METHODS.map(({ method }) => method)
