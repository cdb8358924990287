// One change of one user at a time: decided under the row's lock, committed together with its
// journal entry when it touches the record, and carried to the family store before it answers.

import { isDeepStrictEqual } from 'node:util'
import { refusingTaken } from '../database/already-taken.ts'
import { guardDatabase } from '../database/database.ts'
import type { LoadPrisma } from '../database/prisma.ts'
import type { Prisma, User as UserRow } from '../generated/prisma/client.ts'
import type { Clock } from '../runtime/clock.ts'
import type { KeptFamilyId, User, UserId, UserRecord } from './user.ts'
import { recordOf, userOf } from './user-row.ts'

export interface UserChangeDependencies {
  readonly prisma: LoadPrisma
  readonly clock: Clock
  /** Writes the changed record to the journal within the transaction. */
  readonly journalChange: (tx: Prisma.TransactionClient, record: UserRecord) => Promise<void>
  /** Deletes what other tables have of a deleted user, within the transaction. */
  readonly forgetUser: (tx: Prisma.TransactionClient, userId: UserId) => Promise<void>
  /** Carries the committed record to the family store; harmless when repeated. */
  readonly publishChange: (record: UserRecord) => Promise<void>
}

/**
 * Called once the change is committed, with the members that changed; also when the call then
 * rejects because the family store is away, since the change stands and repeating it changes
 * nothing.
 */
export type OnChanged = (changed: readonly string[]) => void

type Decision = Prisma.UserUpdateInput | undefined

/**
 * The columns to write, or undefined when nothing changes. A new record has a higher version. What
 * else changes with the user is written by `tx`; may be run more than once, of which one stands.
 */
export type DecideChange = (
  row: UserRow,
  now: Date,
  tx: Prisma.TransactionClient,
) => Decision | Promise<Decision>

export interface ChangeOutcome {
  /** As it is now; undefined when it is unknown or deleted. */
  readonly user: User | undefined
  readonly changed: boolean
}

/**
 * Applies a change. Rejects with DependencyUnavailable, and when that came from `publishChange`
 * the change stands. Throws AlreadyTaken with `/username` or `/email`.
 */
export type ChangeUser = (
  userId: UserId,
  decide: DecideChange,
  onChanged?: OnChanged,
) => Promise<ChangeOutcome>

/** How people show that they may set their own password: from a session, or by a mail. */
export interface PasswordChangeSource {
  /** The session, which goes on. */
  readonly keptFamilyId?: KeptFamilyId
  /** The mail has reached them. */
  readonly provesEmail?: true
  /** Called with the user, whose row is locked; throws to prevent the change. */
  readonly check: (user: User, record: UserRecord) => void
}

/** The unique keys of the table that a caller chooses, the id apart. */
export const UNIQUE_NAMES = { users_username_key: '/username', users_email_key: '/email' }

export function openUserChange(dependencies: UserChangeDependencies): ChangeUser {
  const { prisma, clock, journalChange, publishChange } = dependencies

  async function commitChange(
    tx: Prisma.TransactionClient,
    userId: UserId,
    decide: DecideChange,
  ): Promise<{ row: UserRow; before?: UserRow } | undefined> {
    await tx.$queryRaw`SELECT 1 FROM users WHERE id = ${userId}::uuid FOR UPDATE`
    const row = await tx.user.findUnique({ where: { id: userId } })
    if (!row) return undefined
    const now = new Date(clock())
    const columns = row.status === 'deleted' ? undefined : await decide(row, now, tx)
    if (!columns) return { row }
    const data = { ...columns, updatedAt: now }
    const changedRow = await tx.user.update({ where: { id: userId }, data })
    if (changedRow.version > row.version) await journalChange(tx, recordOf(changedRow))
    return { row: changedRow, before: row }
  }

  return async (userId, decide, onChanged) => {
    const client = await prisma()
    const change = async () => {
      const done = await client.$transaction((tx) => commitChange(tx, userId, decide))
      if (done?.before) onChanged?.(listChanged(done.before, done.row))
      return done
    }
    const outcome = await refusingTaken(() => guardDatabase(change), UNIQUE_NAMES)
    if (!outcome) return { user: undefined, changed: false }
    const { row, before } = outcome
    // Also when nothing changed: this may repeat a call that was cut off before this line.
    await publishChange(recordOf(row))
    return { user: userOf(row), changed: before !== undefined }
  }
}

/** Members that no change is about: they only follow from one. */
type FollowingMember = 'id' | 'createdAt' | 'updatedAt' | 'passwordChangedAt'

const CHANGING_MEMBERS = {
  username: true,
  email: true,
  emailVerified: true,
  status: true,
  roles: true,
} satisfies Record<Exclude<keyof User, FollowingMember>, true>

function listChanged(before: UserRow, after: UserRow): string[] {
  const members = Object.keys(CHANGING_MEMBERS) as (keyof typeof CHANGING_MEMBERS)[]
  return members.filter((name) => !isDeepStrictEqual(before[name], after[name]))
}
