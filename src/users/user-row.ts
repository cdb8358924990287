// Rows of the table `users` as values of the service, and the columns of a new epoch, which decides
// whether families live (docs/semantics.md §3).

import type { User as UserRow } from '../generated/prisma/client.ts'
import type { EpochReason, EpochStart, KeptFamilyId, User, UserId, UserRecord } from './user.ts'

const EPOCH_LOG_MAX = 32

/** A user with everything that a login needs, read at one moment. */
export interface UserCredentials {
  readonly user: User
  readonly record: UserRecord
  readonly passwordHash: string
  /** Whether the login needs a second step. */
  readonly hasFactor: boolean
}

/** The columns that no `User` shows. A new column is either one of these or a member of `User`. */
type HiddenColumn =
  | 'usernameKey'
  | 'emailKey'
  | 'passwordHash'
  | 'epoch'
  | 'version'
  | 'epochLog'
  | 'hasFactor'
  | 'applied'

/** Undefined for a deleted user, of whom only the record is left. */
export function userOf(row: UserRow): User | undefined {
  const { username, email, status } = row
  if (username === null || email === null || status === 'deleted') return undefined
  const user: User = {
    id: row.id as UserId,
    username,
    email,
    emailVerified: row.emailVerified,
    status: status === 'active' ? 'active' : 'disabled',
    roles: row.roles,
    createdAt: row.createdAt,
    updatedAt: row.updatedAt,
    passwordChangedAt: row.passwordChangedAt,
  }
  return user satisfies Record<Exclude<keyof UserRow, HiddenColumn>, unknown>
}

export function recordOf(row: UserRow): UserRecord {
  const { epoch, version, roles, username } = row
  const status = row.status === 'active' || row.status === 'deleted' ? row.status : 'disabled'
  return {
    userId: row.id as UserId,
    epoch,
    status,
    roles,
    version,
    epochLog: epochLogOf(row),
    ...(username !== null && { username }),
  }
}

/** Undefined for a deleted user. */
export function credentialsOf(row: UserRow): UserCredentials | undefined {
  const user = userOf(row)
  if (!user || row.passwordHash === null) return undefined
  const { passwordHash, hasFactor } = row
  return { user, record: recordOf(row), passwordHash, hasFactor }
}

/** The columns of a new epoch: every family from before it but one is inactive, for this reason. */
export function startEpoch(
  row: UserRow,
  reason: EpochReason,
  now: Date,
  keptFamilyId?: KeptFamilyId,
) {
  const epoch = row.epoch + 1
  const kept = keptFamilyId === undefined ? {} : { keptFamilyId }
  const epochLog = [...epochLogOf(row), { epoch, reason, atMs: now.getTime(), ...kept }]
    .slice(-EPOCH_LOG_MAX)
    // A JSON column takes plain object types, not interfaces.
    .map((start) => ({ ...start }))
  return { version: row.version + 1, epoch, epochLog }
}

/** Written by `startEpoch` alone. */
function epochLogOf(row: UserRow): EpochStart[] {
  return row.epochLog as unknown as EpochStart[]
}
