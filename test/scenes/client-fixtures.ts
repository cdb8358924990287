// Clients for tests: in memory with what the test cares about, or stored in a database of its own.

import type { Test } from 'tap'
import { openRemoteKeys } from '../../src/assertions/remote-keys.ts'
import type { Presented } from '../../src/certificates/client-certificate.ts'
import type {
  ClientAuthServices,
  ClientRequest,
} from '../../src/client-auth/authentication-method.ts'
import { AUTHENTICATION_METHODS } from '../../src/client-auth/authentication-methods.ts'
import type { Client, ClientId } from '../../src/clients/client.ts'
import type { ClientStoreDependencies } from '../../src/clients/client-change.ts'
import type { ClientInput } from '../../src/clients/client-draft.ts'
import { hashClientSecret } from '../../src/clients/client-secret.ts'
import { type ClientSource, openClientSource } from '../../src/clients/client-source.ts'
import { openClientStore } from '../../src/clients/client-store.ts'
import type { Database } from '../../src/database/database.ts'
import { queryIn } from '../../src/database/prisma.ts'
import { GRANTS } from '../../src/grants/grants.ts'
import { raiseLongestTokenLife } from '../../src/keys/key-rows.ts'
import { openReadyDatabase } from '../support/database.ts'
import { openTestDatabase } from '../support/postgres.ts'

export const NOW = Date.UTC(2026, 10, 23, 8)

/** The limits of a default configuration. */
export const LIMITS = {
  accessTokenTtlSeconds: 600,
  refreshIdleTtlSeconds: 1_209_600,
  refreshAbsoluteTtlSeconds: 7_776_000,
  refreshGraceSeconds: 30,
}

/** What the service hands in. */
export const CHOICES = {
  grants: GRANTS,
  authMethods: AUTHENTICATION_METHODS,
  signingAlgs: ['ES256', 'RS256'],
}

/** For clients that prove themselves by secrets only. */
export const NO_ASSERTIONS: ClientAuthServices['assertions'] = {
  audiences: [],
  remoteKeys: openRemoteKeys({ onFailed: () => {} }),
  singleUse: { take: async () => false },
  clock: () => NOW,
}

/** For clients that no platform vouches for. */
export const NO_TRUST: ClientAuthServices['trust'] = {
  ...NO_ASSERTIONS,
  trustedIssuers: { findByIssuer: () => undefined },
  tokenUses: { count: async () => ({ count: 1, isElsewhere: false }) },
  recordEvent: () => {},
}

/** The least that makes a client. */
export const MINIMAL = {
  name: 'Back office',
  type: 'confidential',
  grantTypes: ['client_credentials'],
} as const satisfies ClientInput

export function clientWith(overrides: Partial<Client>, ...secrets: string[]): Client {
  const at = new Date(NOW)
  return {
    id: 'back-office' as ClientId,
    name: 'Back office',
    type: 'confidential',
    grantTypes: ['client_credentials'],
    scopes: [],
    defaultScopes: [],
    audiences: [],
    authMethods: ['client_secret_basic', 'client_secret_post'],
    ...LIMITS,
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
    sessionsValidFrom: at,
    secrets: secrets.map((secret) => ({
      id: secret,
      hash: hashClientSecret(secret),
      createdAt: at,
    })),
    createdAt: at,
    updatedAt: at,
    ...overrides,
  }
}

/** A request in which a client presents itself; an empty parameter is absent. */
export function requestWith(parts: {
  readonly authorization?: string | undefined
  readonly clientId?: string | undefined
  readonly clientSecret?: string | undefined
  readonly certificate?: Presented
}): ClientRequest {
  const { authorization, clientId, clientSecret } = parts
  const values = new Map([
    ['client_id', clientId],
    ['client_secret', clientSecret],
  ])
  const form = { get: (name: string) => values.get(name) || undefined, resources: [] }
  const headers = authorization === undefined ? {} : { authorization }
  return { headers, form, certificate: () => parts.certificate }
}

/** An empty, migrated database; every call is one more instance of the service upon it. */
export async function openInstances(t: Test) {
  const { url } = await openTestDatabase(t)
  // No test has more than two, and on a busy machine the first query of each takes long.
  const ready = [await openReadyDatabase(t, url), await openReadyDatabase(t, url)]
  const open = (overrides: Partial<ClientStoreDependencies> = {}) => {
    const database = ready.shift()
    if (!database) throw new Error('two instances at most')
    return { database, store: storeOn(database, overrides), source: sourceOn(database) }
  }
  return open
}

export function storeOn({ prisma }: Database, overrides: Partial<ClientStoreDependencies> = {}) {
  return openClientStore({
    prisma,
    defaults: LIMITS,
    choices: CHOICES,
    reservedId: undefined,
    raiseLongestTokenLife: (tx, seconds) => raiseLongestTokenLife(queryIn(tx), seconds),
    clock: () => NOW,
    ...overrides,
  })
}

/** What a table of clients reads from. */
export function sourceOn({ pool }: Database): ClientSource {
  return openClientSource(pool, LIMITS)
}

/** Runs the changes so that all of them have begun before any may touch a client's row. */
export async function allAtOnce<T>(
  { pool }: Database,
  changes: readonly (() => Promise<T>)[],
): Promise<T[]> {
  const holder = await pool.connect()
  try {
    await holder.query('BEGIN')
    await holder.query('SELECT 1 FROM clients FOR UPDATE')
    const running = changes.map((change) => change())
    let settled = false
    const all = Promise.allSettled(running).then(() => {
      settled = true
    })
    while (!settled && (await countWaiting(pool)) < changes.length);
    await holder.query('ROLLBACK')
    await all
    return await Promise.all(running)
  } finally {
    holder.release()
  }
}

async function countWaiting(pool: Database['pool']): Promise<number> {
  const { rows } = await pool.query<{ waiting: number }>(
    `SELECT count(*)::int AS waiting FROM pg_stat_activity
     WHERE datname = current_database() AND wait_event_type = 'Lock'`,
  )
  return rows[0]?.waiting ?? 0
}
