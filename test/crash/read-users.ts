// The users as PostgreSQL has them, and how a walk asks it.

import type { UserRecord } from '../../src/users/user.ts'

/** One statement, over a connection that sees what the walk is about. */
export type Query = <Row>(sql: string, values?: readonly unknown[]) => Promise<Row[]>

export interface UserRow {
  readonly id: string
  readonly status: string
  readonly username: string | null
  readonly roles: readonly string[]
  readonly epoch: number
  readonly version: number
  readonly epochLog: UserRecord['epochLog']
  readonly hasNames: boolean
  readonly hasHash: boolean
  readonly hasFactor: boolean
  readonly activeFactors: number
  readonly recoveryCodes: number
}

/** All of them by their ids. */
export async function readUsers(query: Query): Promise<ReadonlyMap<string, UserRow>> {
  const rows = await query<UserRow>(`
    SELECT id, status, username, roles, epoch, version, epoch_log AS "epochLog",
      COALESCE(username, username_key, email, email_key) IS NOT NULL AS "hasNames",
      password_hash IS NOT NULL AS "hasHash", has_factor AS "hasFactor",
      (SELECT count(*)::int FROM factors WHERE user_id = users.id AND status = 'active')
        AS "activeFactors",
      (SELECT count(*)::int FROM recovery_codes WHERE user_id = users.id) AS "recoveryCodes"
    FROM users`)
  return new Map(rows.map((row) => [row.id, row]))
}
