// Clients for tests: in memory with what the test cares about, or stored in a database of its own.

import type { Test } from 'tap'
import type { Client, ClientId } from '../../src/clients/client.ts'
import type { ClientStoreDependencies } from '../../src/clients/client-change.ts'
import type { ClientInput } from '../../src/clients/client-draft.ts'
import { hashClientSecret } from '../../src/clients/client-secret.ts'
import { openClientStore } from '../../src/clients/client-store.ts'
import { type Database, openDatabase } from '../../src/database/database.ts'
import { applyMigrations } from '../../src/database/migrations.ts'
import { raiseLongestTokenLife } from '../../src/tokens/signing-key-store.ts'
import { openTestDatabase } from '../support/postgres.ts'

export const NOW = Date.UTC(2026, 10, 23, 8)

/** The limits of a default configuration. */
export const LIMITS = {
  accessTokenTtlSeconds: 600,
  refreshIdleTtlSeconds: 1_209_600,
  refreshAbsoluteTtlSeconds: 7_776_000,
  refreshGraceSeconds: 30,
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

/** An empty, migrated database; every call is one more instance of the service upon it. */
export async function openInstances(t: Test) {
  const { url } = await openTestDatabase(t)
  const open = (overrides: Partial<ClientStoreDependencies> = {}) => {
    const database = openInstanceDatabase(t, url)
    return { database, store: storeOn(database, overrides) }
  }
  await applyMigrations(open().database.pool)
  return open
}

export function openInstanceDatabase(t: Test, url: string): Database {
  const database = openDatabase(url)
  t.teardown(() => database.close())
  return database
}

export function storeOn({ prisma }: Database, overrides: Partial<ClientStoreDependencies> = {}) {
  return openClientStore({
    prisma,
    defaults: LIMITS,
    reservedId: undefined,
    raiseLongestTokenLife,
    clock: () => NOW,
    ...overrides,
  })
}
