// Families and users' records as rows: how rows become values, are locked and are written. They are
// read as JSON, so that 64-bit columns arrive as numbers; all of them are far below 2^53.

import type pg from 'pg'
import { knownMembers } from '../../runtime/defined-members.ts'
import type { UserId, UserRecord } from '../../users/user.ts'
import type { Family, FamilyId, TokenOwner } from '../family.ts'
import { isUserStale } from '../family-rules.ts'

/** The column of each member; `ended` has two of its own. */
const FAMILY_COLUMNS = {
  familyId: 'id',
  userId: 'user_id',
  clientId: 'client_id',
  scope: 'scope',
  audience: 'audience',
  amr: 'amr',
  confirmation: 'confirmation',
  secretHash: 'secret_hash',
  generation: 'generation',
  epoch: 'epoch',
  createdAtMs: 'created_at_ms',
  rotatedAtMs: 'rotated_at_ms',
  usedAtMs: 'used_at_ms',
  idleExpiresAtMs: 'idle_expires_at_ms',
  absoluteExpiresAtMs: 'absolute_expires_at_ms',
  ip: 'ip',
  userAgent: 'user_agent',
  retriedElsewhere: 'retried_elsewhere',
} as const satisfies Record<Exclude<keyof Family, 'ended'>, string>

const FAMILY_MEMBERS = Object.keys(FAMILY_COLUMNS) as (keyof typeof FAMILY_COLUMNS)[]

const USER_COLUMNS = {
  userId: 'user_id',
  epoch: 'epoch',
  status: 'status',
  roles: 'roles',
  version: 'version',
  epochLog: 'epoch_log',
  username: 'username',
} as const satisfies Record<keyof UserRecord, string>

/** A row as `to_jsonb` gives it. */
export type JsonRow = Readonly<Record<string, unknown>>

export function toFamily(row: JsonRow): Family {
  const { ended_at_ms: atMs, ended_reason: reason } = row
  const ended = atMs === null ? undefined : { reason, atMs }
  const confirmation = row.confirmation ?? undefined
  // A release that does not know the column leaves it behind when it rotates.
  const usedAtMs = Math.max(Number(row.rotated_at_ms), Number(row.used_at_ms))
  return { ...readMembers(row, FAMILY_COLUMNS), usedAtMs, confirmation, ended } as Family
}

/** Without a name where none is stored. */
export function toUserRecord(row: JsonRow): UserRecord {
  return knownMembers(readMembers(row, USER_COLUMNS)) as UserRecord
}

function readMembers(row: JsonRow, columns: Readonly<Record<string, string>>): object {
  const members = Object.entries(columns).map(([member, column]) => [member, row[column]])
  return Object.fromEntries(members)
}

/**
 * That `user_id` is $2, written so that no index serves it: PostgreSQL might otherwise read all
 * families of the user to find the one whose id is given.
 */
export const OF_USER = '(user_id = $2) IS TRUE'

/** The owner as the text of one column; the prefix keeps ids of users and clients apart. */
export function ownerKey(owner: TokenOwner): string {
  return owner.userId === undefined ? `c:${owner.clientId}` : `u:${owner.userId}`
}

/**
 * Stores the record unless an equal or newer one is there, and gives the one that is stored then.
 * An equal one without a user name, from an older release, is given the name. Its row stays locked
 * against every other change of the user's families.
 */
export async function upsertUser(client: pg.PoolClient, given: UserRecord): Promise<UserRecord> {
  const { userId, epoch, status, roles, version, epochLog, username = null } = given
  const { rows } = await client.query<{ row: JsonRow }>(
    `INSERT INTO family_users AS stored (user_id, epoch, status, roles, version, epoch_log,
       username)
     VALUES ($1, $2, $3, $4, $5, $6, $7)
     ON CONFLICT (user_id) DO UPDATE SET epoch = excluded.epoch, status = excluded.status,
       roles = excluded.roles, version = excluded.version, epoch_log = excluded.epoch_log,
       username = excluded.username
     WHERE stored.version < excluded.version OR (stored.version = excluded.version
       AND stored.username IS NULL AND excluded.username IS NOT NULL)
     RETURNING to_jsonb(stored) AS row`,
    [userId, epoch, status, roles, version, JSON.stringify(epochLog), username],
  )
  await stampKeptFamily(client, given)
  if (rows[0]) return toUserRecord(rows[0].row)
  // The upsert has locked the row that it left alone, so it is there and stays as it is.
  return (await readUser(client, userId)) ?? given
}

/**
 * Moves the family that the newest epoch keeps on to that epoch, if it was alive in the one before.
 */
async function stampKeptFamily(
  client: pg.PoolClient,
  { userId, epoch, epochLog }: UserRecord,
): Promise<void> {
  const keptFamilyId = epochLog.at(-1)?.keptFamilyId
  if (keptFamilyId === undefined) return
  const from = epochLog.reduceRight(
    (first, start) =>
      start.epoch === first && start.keptFamilyId === keptFamilyId ? first - 1 : first,
    epoch,
  )
  await client.query(
    `UPDATE families SET epoch = $3
     WHERE id = $1 AND ${OF_USER} AND epoch >= $4 AND epoch < $3`,
    [keptFamilyId, userId, epoch, from],
  )
}

/**
 * The record as it is committed at this moment. Takes no lock: many refreshes, each holding a
 * shared one for a moment, could keep a change of the user waiting without end.
 */
async function readUser(client: pg.PoolClient, userId: UserId): Promise<UserRecord | undefined> {
  const { rows } = await client.query<{ row: JsonRow }>(
    'SELECT to_jsonb(u) AS row FROM family_users u WHERE user_id = $1',
    [userId],
  )
  return rows[0] && toUserRecord(rows[0].row)
}

export interface LockedFamily {
  readonly family: Family
  /** As it was committed when the lock was asked for, or later; not locked, see `readUser`. */
  readonly user: UserRecord | undefined
}

/** Locks the family until the transaction ends, and reads it and its user in one round trip. */
export async function lockFamily(
  client: pg.PoolClient,
  { familyId, userId }: { familyId: FamilyId; userId: UserId },
): Promise<LockedFamily | undefined> {
  const { rows } = await client.query<{ family: JsonRow; user: JsonRow | null }>(
    `SELECT to_jsonb(f) AS family,
       (SELECT to_jsonb(u) FROM family_users u WHERE user_id = $2) AS user
     FROM families f WHERE id = $1 AND ${OF_USER} FOR UPDATE OF f`,
    [familyId, userId],
  )
  const [row] = rows
  if (!row) return undefined
  const family = toFamily(row.family)
  const user = row.user ? toUserRecord(row.user) : undefined
  // Whoever held the lock may have moved both on to another epoch. The statement then sees the family
  // as it is now, and the user as he was when it began.
  return { family, user: isUserStale(user, family) ? await readUser(client, userId) : user }
}

export async function insertFamily(client: pg.PoolClient, family: Family): Promise<void> {
  const values = FAMILY_MEMBERS.map((member) => family[member])
  await client.query(
    `INSERT INTO families (${Object.values(FAMILY_COLUMNS).join(', ')})
     VALUES (${values.map((_, index) => `$${index + 1}`).join(', ')})`,
    values,
  )
}

/** Writes what changes of a family that is locked; gives its state after that. */
export async function updateFamily(
  client: pg.PoolClient,
  family: Family,
  changes: Partial<Omit<Family, 'familyId'>>,
): Promise<Family> {
  const { ended, ...members } = changes
  const columns: string[] = Object.keys(members).map(
    (member) => FAMILY_COLUMNS[member as keyof typeof members],
  )
  const values: unknown[] = Object.values(members)
  if (ended) {
    columns.push('ended_at_ms', 'ended_reason')
    values.push(ended.atMs, ended.reason)
  }
  await client.query(
    `UPDATE families SET ${columns.map((column, i) => `${column} = $${i + 2}`).join(', ')}
     WHERE id = $1`,
    [family.familyId, ...values],
  )
  return { ...family, ...changes }
}
