// A client as administrators see it: everything but the hashes of its secrets.

import type { Client } from '../clients/client.ts'

/** Its dates become text with the rest of the document. */
export interface ClientView extends Omit<Client, 'sessionsValidFrom' | 'secrets'> {
  readonly secrets: readonly { readonly id: string; readonly createdAt: Date }[]
}

/** Member by member, so that whoever adds one to clients decides whether it is shown. */
export function toClientView(client: Client): ClientView {
  return {
    id: client.id,
    name: client.name,
    type: client.type,
    grantTypes: client.grantTypes,
    scopes: client.scopes,
    defaultScopes: client.defaultScopes,
    audiences: client.audiences,
    authMethods: client.authMethods,
    accessTokenTtlSeconds: client.accessTokenTtlSeconds,
    refreshIdleTtlSeconds: client.refreshIdleTtlSeconds,
    refreshAbsoluteTtlSeconds: client.refreshAbsoluteTtlSeconds,
    refreshGraceSeconds: client.refreshGraceSeconds,
    tokenDelivery: client.tokenDelivery,
    accessTokenCookie: client.accessTokenCookie,
    allowedOrigins: client.allowedOrigins,
    forwardsClientIp: client.forwardsClientIp,
    requireFactor: client.requireFactor,
    jwks: client.jwks,
    jwksUri: client.jwksUri,
    allowPrivateNetwork: client.allowPrivateNetwork,
    assertionAlgs: client.assertionAlgs,
    federatedIdentities: client.federatedIdentities,
    exchange: client.exchange,
    dpopBoundAccessTokens: client.dpopBoundAccessTokens,
    tlsClientAuth: client.tlsClientAuth,
    tlsClientCertificateBoundAccessTokens: client.tlsClientCertificateBoundAccessTokens,
    refreshRotation: client.refreshRotation,
    refreshRotateAfterSeconds: client.refreshRotateAfterSeconds,
    signingAlg: client.signingAlg,
    secrets: client.secrets.map(({ id, createdAt }) => ({ id, createdAt })),
    createdAt: client.createdAt,
    updatedAt: client.updatedAt,
  }
}
