// The row of whoever wants to log in. For nobody there is one, too, that looks like anybody's: to fetch a
// row and to read it takes a tenth of a millisecond, which would tell who has an account (docs/login.md).

import type { User as UserRow } from '../generated/prisma/client.ts'
import type { LoginKey } from './user-names.ts'

/** What runs a statement: Prisma's client. */
export interface RowReader {
  $queryRawUnsafe<T>(statement: string, ...values: readonly unknown[]): PromiseLike<T>
}

const NOBODYS_HASH = `$argon2id$v=19$m=19456,t=2,p=1$${'A'.repeat(22)}$${'A'.repeat(43)}`

/** Each column with what it holds for nobody. */
const COLUMNS = {
  id: ['id', `'00000000-0000-4000-8000-000000000000'::uuid`],
  username: ['username', `'nobody'`],
  usernameKey: ['username_key', `'nobody'`],
  email: ['email', `'nobody@example.org'`],
  emailKey: ['email_key', `'nobody@example.org'`],
  emailVerified: ['email_verified', 'true'],
  passwordHash: ['password_hash', `'${NOBODYS_HASH}'`],
  status: ['status', `'active'`],
  roles: ['roles', `'{}'::text[]`],
  epoch: ['epoch', '0'],
  version: ['version', '0'],
  epochLog: ['epoch_log', `'[]'::jsonb`],
  createdAt: ['created_at', `timestamptz '2026-01-01'`],
  updatedAt: ['updated_at', `timestamptz '2026-01-01'`],
  passwordChangedAt: ['password_changed_at', `timestamptz '2026-01-01'`],
  hasFactor: ['has_factor', 'false'],
  applied: ['applied', `'{}'::jsonb`],
} as const satisfies Record<keyof UserRow, readonly [string, string]>

const LIST = Object.entries(COLUMNS)
  .map(([name, [column, ofNobody]]) => `coalesce(found.${column}, ${ofNobody}) AS "${name}"`)
  .join(', ')

const statementBy = (column: string) =>
  `SELECT found.id IS NOT NULL AS "isThere", ${LIST}
   FROM (SELECT) AS nobody LEFT JOIN users AS found ON found.${column} = $1`

const BY_USERNAME = statementBy(COLUMNS.usernameKey[0])
const BY_EMAIL = statementBy(COLUMNS.emailKey[0])

/** With `isThere` false for an unknown user: the row is then nobody's, and to be read all the same. */
export async function findLoginRow(
  key: LoginKey,
  reader: RowReader,
): Promise<UserRow & { readonly isThere: boolean }> {
  const [statement, value] =
    'usernameKey' in key ? [BY_USERNAME, key.usernameKey] : [BY_EMAIL, key.emailKey]
  const rows = await reader.$queryRawUnsafe<(UserRow & { isThere: boolean })[]>(statement, value)
  const [row] = rows
  if (!row) throw new Error('there is a row for nobody, too')
  return row
}
