// Between a client and its rows in PostgreSQL. Only what `draftClient` accepted is ever stored, so
// what is read back needs no second check.

import type { Prisma } from '../generated/prisma/client.ts'
import type { Client, ClientId } from './client.ts'
import { type ClientDraft, type ClientLimits, effectiveLimits } from './client-draft.ts'
import type { ClientKeys, TlsClientAuth } from './client-settings.ts'

/** How a client is read: with its secrets, oldest first. */
export const WITH_SECRETS = {
  secrets: { orderBy: [{ createdAt: 'asc' }, { id: 'asc' }] },
} as const satisfies Prisma.ClientInclude

/** With what files that are applied say of it. */
export type MarkedClientRow = Prisma.ClientGetPayload<{ include: typeof WITH_SECRETS }>

export type ClientRow = Omit<MarkedClientRow, 'applied'>

/** The columns that an administrator does not choose. A new column is one of these or of the draft. */
type OwnColumn = 'id' | 'sessionsValidFrom' | 'secrets' | 'createdAt' | 'updatedAt'

export function rowToDraft(row: ClientRow): ClientDraft {
  return {
    name: row.name,
    type: row.type as Client['type'],
    grantTypes: row.grantTypes,
    scopes: row.scopes,
    defaultScopes: row.defaultScopes,
    audiences: row.audiences,
    authMethods: row.authMethods,
    accessTokenTtlSeconds: row.accessTokenTtlSeconds,
    refreshIdleTtlSeconds: row.refreshIdleTtlSeconds,
    refreshAbsoluteTtlSeconds: row.refreshAbsoluteTtlSeconds,
    refreshGraceSeconds: row.refreshGraceSeconds,
    tokenDelivery: row.tokenDelivery as Client['tokenDelivery'],
    accessTokenCookie: row.accessTokenCookie,
    allowedOrigins: row.allowedOrigins,
    forwardsClientIp: row.forwardsClientIp,
    requireFactor: row.requireFactor,
    jwks: readJson<ClientKeys>(row.jwks),
    jwksUri: row.jwksUri,
    allowPrivateNetwork: row.allowPrivateNetwork,
    assertionAlgs: row.assertionAlgs,
    federatedIdentities: row.federatedIdentities as unknown as Client['federatedIdentities'],
    exchange: row.exchange as unknown as Client['exchange'],
    dpopBoundAccessTokens: row.dpopBoundAccessTokens,
    tlsClientAuth: readJson<TlsClientAuth>(row.tlsClientAuth),
    tlsClientCertificateBoundAccessTokens: row.tlsClientCertificateBoundAccessTokens,
    refreshRotation: row.refreshRotation as Client['refreshRotation'],
    refreshRotateAfterSeconds: row.refreshRotateAfterSeconds,
    signingAlg: row.signingAlg,
  } satisfies Record<Exclude<keyof ClientRow, OwnColumn>, unknown>
}

/** An empty object stands for none. */
function readJson<Value extends object>(column: Prisma.JsonValue): Value | null {
  const value = column as unknown as Value
  return Object.keys(value).length > 0 ? value : null
}

/** The columns of a draft, with lists of their own. */
export function draftToColumns(draft: ClientDraft) {
  return {
    ...draft,
    grantTypes: [...draft.grantTypes],
    scopes: [...draft.scopes],
    defaultScopes: [...draft.defaultScopes],
    audiences: [...draft.audiences],
    authMethods: [...draft.authMethods],
    allowedOrigins: [...draft.allowedOrigins],
    assertionAlgs: [...draft.assertionAlgs],
    jwks: toJson(draft.jwks ?? {}),
    federatedIdentities: toJson(draft.federatedIdentities),
    exchange: toJson(draft.exchange),
    tlsClientAuth: toJson(draft.tlsClientAuth ?? {}),
  }
}

/** The members of a value as Prisma takes a column of JSON. */
function toJson(value: object): Prisma.InputJsonValue {
  return value as Prisma.InputJsonValue
}

/** The client as the service holds it: null limits are replaced by the configured ones. */
export function rowToClient(row: ClientRow, defaults: ClientLimits): Client {
  const draft = rowToDraft(row)
  return {
    id: row.id as ClientId,
    ...draft,
    ...effectiveLimits(draft, defaults),
    sessionsValidFrom: row.sessionsValidFrom,
    secrets: row.secrets.map(({ id, hash, createdAt }) => ({
      id,
      hash: Buffer.from(hash),
      createdAt,
    })),
    createdAt: row.createdAt,
    updatedAt: row.updatedAt,
  }
}
