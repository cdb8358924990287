// The bootstrap admin client: made from two environment variables, never stored, listed or edited
// (docs/semantics.md §5), so that the first administrator needs no database.

import { ADMIN_SCOPE } from '../oauth/role-bound-scope.ts'
import type { Client, ClientId } from './client.ts'
import type { ClientLimits } from './client-draft.ts'
import { hashClientSecret } from './client-secret.ts'

/** The virtual client for configured credentials; configuration has checked both of them. */
export function bootstrapClient(
  credentials: { readonly id: string; readonly secret: string },
  issuer: string,
  limits: ClientLimits,
): Client {
  const always = new Date(0)
  return {
    id: credentials.id as ClientId,
    name: 'Bootstrap admin client',
    type: 'confidential',
    grantTypes: ['client_credentials'],
    scopes: [ADMIN_SCOPE],
    defaultScopes: [ADMIN_SCOPE],
    audiences: [issuer],
    authMethods: ['client_secret_basic', 'client_secret_post'],
    accessTokenTtlSeconds: limits.accessTokenTtlSeconds,
    refreshIdleTtlSeconds: limits.refreshIdleTtlSeconds,
    refreshAbsoluteTtlSeconds: limits.refreshAbsoluteTtlSeconds,
    refreshGraceSeconds: limits.refreshGraceSeconds,
    tokenDelivery: 'body',
    accessTokenCookie: false,
    allowedOrigins: [],
    forwardsClientIp: false,
    requireFactor: false,
    jwks: null,
    jwksUri: null,
    allowPrivateNetwork: false,
    assertionAlgs: [],
    federatedIdentities: [],
    exchange: [],
    dpopBoundAccessTokens: false,
    tlsClientAuth: null,
    tlsClientCertificateBoundAccessTokens: false,
    refreshRotation: 'always',
    refreshRotateAfterSeconds: 0,
    signingAlg: null,
    sessionsValidFrom: always,
    secrets: [{ id: 'bootstrap', hash: hashClientSecret(credentials.secret), createdAt: always }],
    createdAt: always,
    updatedAt: always,
  }
}
