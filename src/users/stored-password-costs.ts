// The costs of the most expensive password hashes of all users: one look-up in an index for each
// parallelism, however many users there are.

import { type Database, guardDatabase } from '../database/database.ts'
import {
  type Argon2Parameters,
  PARALLELISM_MAX,
  parseCost,
  THREADED_WORK_MAX,
  WORK_MAX,
} from './password-hash.ts'

// Exactly as in the index users_password_cost_idx: PostgreSQL uses it for no other expression.
const PARAMETER = (name: string, digits: number) =>
  `substring(password_hash from '^[$]argon2id[$]v=19[$](?:[a-z0-9,=]*,)?${name}=([0-9]{1,${digits}})[,$]')`
const PARALLELISM = `${PARAMETER('p', 2)}::int`
const WORK = `(${PARAMETER('m', 7)}::bigint * ${PARAMETER('t', 2)}::bigint)`

/** One row at most for each parallelism. */
export const DEAREST_HASHES = `
  SELECT dearest.parameters FROM generate_series(1, ${PARALLELISM_MAX}) AS lanes
  CROSS JOIN LATERAL (
    SELECT split_part(password_hash, '$', 4) AS parameters FROM users
    WHERE ${PARALLELISM} = lanes AND ${WORK} <= least(${WORK_MAX}, ${THREADED_WORK_MAX} / lanes)
    ORDER BY ${WORK} DESC LIMIT 1
  ) AS dearest`

/** At most one for each parallelism. Rejects with DependencyUnavailable. */
export async function loadStoredPasswordCosts({
  pool,
}: Pick<Database, 'pool'>): Promise<readonly Argon2Parameters[]> {
  const { rows } = await guardDatabase(() => pool.query<{ parameters: string }>(DEAREST_HASHES))
  return rows.flatMap(({ parameters }) => parseCost(parameters) ?? [])
}
