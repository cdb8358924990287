// Clients as the table in memory reads them: many at a time, and those that have changed since. In SQL
// of its own, because Prisma takes four times as long for each of 100,000.

import type pg from 'pg'
import { guardDatabase } from '../database/database.ts'
import { openSharedLists } from '../database/shared-lists.ts'
import type { Client } from './client.ts'
import type { ClientLimits } from './client-draft.ts'
import { type ClientRow, rowToClient } from './client-row.ts'

/** Instead of ids, where one statement changed more than a thousand clients. */
const MANY = ''

/** A place in the log of changes. */
export type ClientVersion = string & { readonly brand: 'ClientVersion' }

export interface ClientChanges {
  /** Of clients that were made, changed or deleted. */
  readonly ids: readonly string[]
  /** Whoever has read those ids has seen every change up to here. */
  readonly newest: ClientVersion
}

/** Every method rejects with DependencyUnavailable when PostgreSQL does not answer. */
export interface ClientSource {
  /** Those of the ids that there are, in no order. */
  findMany(ids: readonly string[]): Promise<Client[]>
  /** Up to `limit` clients of ids after this one, in the order of ids. */
  readAfter(id: string, limit: number): Promise<Client[]>
  /** The place from which `readChanges` goes on; undefined where the log is empty. */
  newestChange(): Promise<ClientVersion | undefined>
  /**
   * What was committed after that place. Undefined where the log does not tell: it was too long ago
   * or too much, or the server has lost that place with its last commits.
   */
  readChanges(after: ClientVersion): Promise<ClientChanges | undefined>
}

type SecretRow = ClientRow['secrets'][number]

/** The column of each member. */
const COLUMNS = {
  id: 'id',
  name: 'name',
  type: 'type',
  grantTypes: 'grant_types',
  scopes: 'scopes',
  defaultScopes: 'default_scopes',
  audiences: 'audiences',
  authMethods: 'auth_methods',
  accessTokenTtlSeconds: 'access_token_ttl_seconds',
  refreshIdleTtlSeconds: 'refresh_idle_ttl_seconds',
  refreshAbsoluteTtlSeconds: 'refresh_absolute_ttl_seconds',
  refreshGraceSeconds: 'refresh_grace_seconds',
  tokenDelivery: 'token_delivery',
  accessTokenCookie: 'access_token_cookie',
  allowedOrigins: 'allowed_origins',
  forwardsClientIp: 'forwards_client_ip',
  requireFactor: 'require_factor',
  jwks: 'jwks',
  jwksUri: 'jwks_uri',
  allowPrivateNetwork: 'allow_private_network',
  assertionAlgs: 'assertion_algs',
  federatedIdentities: 'federated_identities',
  exchange: 'exchange',
  dpopBoundAccessTokens: 'dpop_bound_access_tokens',
  tlsClientAuth: 'tls_client_auth',
  tlsClientCertificateBoundAccessTokens: 'tls_client_certificate_bound_access_tokens',
  refreshRotation: 'refresh_rotation',
  refreshRotateAfterSeconds: 'refresh_rotate_after_seconds',
  signingAlg: 'signing_alg',
  sessionsValidFrom: 'sessions_valid_from',
  createdAt: 'created_at',
  updatedAt: 'updated_at',
} as const satisfies Record<Exclude<keyof ClientRow, 'secrets'>, string>

const SECRET_COLUMNS = {
  id: 'id',
  clientId: 'client_id',
  hash: 'hash',
  createdAt: 'created_at',
} as const satisfies Record<keyof SecretRow, string>

const CLIENTS = `SELECT ${asMembers(COLUMNS)} FROM clients`
const SECRETS = `SELECT ${asMembers(SECRET_COLUMNS)} FROM client_secrets
  WHERE client_id = ANY ($1) ORDER BY created_at, id`

/** The place itself, if it is there, and what came after it. The log has a few thousand rows at most. */
const CHANGES = `SELECT version, client_id AS id FROM (
    (SELECT version, client_id FROM client_changes WHERE version = $1 LIMIT 1)
    UNION ALL
    (SELECT version, client_id FROM client_changes WHERE version > $1)
  ) AS log ORDER BY version`

function asMembers(columns: Readonly<Record<string, string>>): string {
  return Object.entries(columns)
    .map(([member, column]) => `${column} AS "${member}"`)
    .join(', ')
}

export function openClientSource(pool: pg.Pool, defaults: ClientLimits): ClientSource {
  const types = openSharedLists()

  async function query<Row extends pg.QueryResultRow>(text: string, values: unknown[] = []) {
    const { rows } = await guardDatabase(() => pool.query<Row>({ text, values, types }))
    return rows
  }

  async function read(condition: string, values: unknown[]): Promise<Client[]> {
    const rows = await query<Omit<ClientRow, 'secrets'>>(`${CLIENTS} ${condition}`, values)
    const secrets = new Map<string, SecretRow[]>(rows.map(({ id }) => [id, []]))
    const ids = [...secrets.keys()]
    const secretRows = ids.length > 0 ? await query<SecretRow>(SECRETS, [ids]) : []
    for (const secret of secretRows) secrets.get(secret.clientId)?.push(secret)
    return rows.map((row) => rowToClient({ ...row, secrets: secrets.get(row.id) ?? [] }, defaults))
  }

  return {
    findMany: (ids) => read('WHERE id = ANY ($1)', [ids]),
    readAfter: (id, limit) => read('WHERE id > $1 ORDER BY id LIMIT $2', [id, limit]),

    async newestChange() {
      const rows = await query<{ version: ClientVersion }>(
        'SELECT version FROM client_changes ORDER BY version DESC LIMIT 1',
      )
      return rows[0]?.version
    },

    async readChanges(after) {
      const [place, ...rows] = await query<{ version: ClientVersion; id: string }>(CHANGES, [after])
      const ids = new Set(rows.map(({ id }) => id))
      if (place?.version !== after || ids.has(MANY)) return undefined
      return { ids: [...ids], newest: rows.at(-1)?.version ?? after }
    },
  }
}
