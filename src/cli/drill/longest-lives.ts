// How long tokens and sessions may live, by the configuration and by every client.

import type { ServiceConfig } from '../../config/service-config.ts'
import { type Database, guardDatabase } from '../../database/database.ts'

export interface LongestLives {
  readonly accessSeconds: number
  readonly idleSeconds: number
  readonly absoluteSeconds: number
  readonly clients: number
}

/** Rejects with DependencyUnavailable. */
export async function readLongestLives(
  { pool }: Pick<Database, 'pool'>,
  config: Pick<
    ServiceConfig,
    'accessTokenTtlSeconds' | 'refreshIdleTtlSeconds' | 'refreshAbsoluteTtlSeconds'
  >,
): Promise<LongestLives> {
  const { rows } = await guardDatabase(() =>
    pool.query<LongestLives>(
      `SELECT GREATEST($1::int, max(access_token_ttl_seconds))::int AS "accessSeconds",
         GREATEST($2::int, max(refresh_idle_ttl_seconds))::int AS "idleSeconds",
         GREATEST($3::int, max(refresh_absolute_ttl_seconds))::int AS "absoluteSeconds",
         count(*)::int AS clients
       FROM clients`,
      [
        config.accessTokenTtlSeconds,
        config.refreshIdleTtlSeconds,
        config.refreshAbsoluteTtlSeconds,
      ],
    ),
  )
  const [row] = rows
  if (!row) throw new Error('PostgreSQL gave no row')
  return row
}
