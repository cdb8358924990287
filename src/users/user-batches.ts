// Many users at once, for imports: who of them is there, and the insertion of those who are not. By
// SQL of ours, because a statement of some hundred rows takes Prisma half a second and much memory.

import { type Database, guardDatabase } from '../database/database.ts'
import type { Clock } from '../runtime/clock.ts'
import type { UserId } from './user.ts'
import { keyText, type UserKeys } from './user-claim.ts'
import type { NewUser } from './user-draft.ts'
import { newRow } from './user-store.ts'

/** Both reject with DependencyUnavailable when PostgreSQL is away. Some hundred users at a time. */
export interface UserBatches {
  /** The id of the user who has a key, by `keyText`; deleted users have their id alone. */
  findHolders(all: readonly UserKeys[]): Promise<ReadonlyMap<string, string>>
  /**
   * Adds those whose id and names are all free, in one statement, and gives their ids. The others,
   * also those that an earlier one of the batch stands in the way of, change nothing.
   */
  addFree(users: readonly (NewUser & { readonly id: UserId })[]): Promise<ReadonlySet<UserId>>
}

interface KeyRow {
  readonly id: string
  readonly usernameKey: string | null
  readonly emailKey: string | null
}

/** The column of each member of a new row, and its type. */
const COLUMNS = {
  id: ['id', 'uuid'],
  username: ['username', 'text'],
  usernameKey: ['username_key', 'text'],
  email: ['email', 'text'],
  emailKey: ['email_key', 'text'],
  emailVerified: ['email_verified', 'boolean'],
  passwordHash: ['password_hash', 'text'],
  roles: ['roles', 'text[]'],
  createdAt: ['created_at', 'timestamptz'],
  updatedAt: ['updated_at', 'timestamptz'],
  passwordChangedAt: ['password_changed_at', 'timestamptz'],
} as const satisfies Record<
  keyof ReturnType<typeof newRow>,
  readonly [column: string, type: string]
>

const listColumns = (toSql: (member: string, column: string, type: string) => string) =>
  Object.entries(COLUMNS)
    .map(([member, [column, type]]) => toSql(member, column, type))
    .join(', ')

const INSERT_FREE = `
  INSERT INTO users (${listColumns((_, column) => column)})
  SELECT ${listColumns((member) => `"${member}"`)} FROM jsonb_to_recordset($1::jsonb)
    AS given (${listColumns((member, _, type) => `"${member}" ${type}`)})
  ON CONFLICT DO NOTHING
  RETURNING id`

const SELECT_HOLDERS = `
  SELECT id, username_key AS "usernameKey", email_key AS "emailKey" FROM users
  WHERE id = ANY ($1::uuid[]) OR username_key = ANY ($2::text[]) OR email_key = ANY ($3::text[])`

export function openUserBatches({ pool }: Pick<Database, 'pool'>, clock: Clock): UserBatches {
  return {
    async findHolders(all) {
      const valuesOf = (name: keyof UserKeys) => all.flatMap((keys) => keys[name] ?? [])
      const values = [valuesOf('id'), valuesOf('username'), valuesOf('email')]
      const { rows } = await guardDatabase(() => pool.query<KeyRow>(SELECT_HOLDERS, values))
      return new Map(
        rows.flatMap(({ id, usernameKey, emailKey }) => [
          [keyText('id', id), id],
          [keyText('username', usernameKey ?? ''), id],
          [keyText('email', emailKey ?? ''), id],
        ]),
      )
    },

    async addFree(users) {
      const now = new Date(clock())
      const rows = JSON.stringify(users.map((user) => newRow(user, now)))
      const added = await guardDatabase(() => pool.query<{ id: UserId }>(INSERT_FREE, [rows]))
      return new Set(added.rows.map(({ id }) => id))
    },
  }
}
