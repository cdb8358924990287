// Users in PostgreSQL: how they are made, found, listed and changed. The record that decides
// whether their families live changes through user-change.ts.

import { isDeepStrictEqual } from 'node:util'
import { refusingTaken } from '../database/already-taken.ts'
import { guardDatabase } from '../database/database.ts'
import {
  OLDEST_FIRST,
  type Page,
  type PageRequest,
  readPage,
  takePage,
} from '../database/keyset-page.ts'
import type { Prisma, User as UserRow } from '../generated/prisma/client.ts'
import { definedMembers } from '../runtime/defined-members.ts'
import { findLoginRow } from './login-row.ts'
import type { KeptFamilyId, User, UserFilter, UserId, UserRecord } from './user.ts'
import {
  type OnChanged,
  openUserChange,
  type PasswordChangeSource,
  UNIQUE_NAMES,
  type UserChangeDependencies,
} from './user-change.ts'
import type { NewUser, UserPatch } from './user-draft.ts'
import { newUserId } from './user-id.ts'
import { type LoginKey, parseEmail, parseUsername, type UserName } from './user-names.ts'
import { credentialsOf, recordOf, startEpoch, type UserCredentials, userOf } from './user-row.ts'

/** Sees the user under the row's lock, and throws to leave it as it is. */
export type CheckCurrent = (current: User) => void

/**
 * Every method rejects with DependencyUnavailable when PostgreSQL is away; those that change an
 * existing user also when the family store is: the change then stands, and the journal carries it.
 */
export interface UserStore {
  /** Throws AlreadyTaken with `/id` (a deleted user's too), `/username` or `/email`. */
  create(user: NewUser): Promise<User>
  findById(userId: UserId): Promise<User | undefined>
  /** User, hash and record of one moment; undefined for an unknown or deleted user. */
  findForLogin(key: LoginKey): Promise<UserCredentials | undefined>
  findCredentials(userId: UserId): Promise<UserCredentials | undefined>
  /** Oldest first. */
  list(filter: UserFilter, page: PageRequest): Promise<Page<User>>
  /** Undefined for an unknown user; throws AlreadyTaken with `/username` or `/email`. */
  patch(
    userId: UserId,
    patch: UserPatch,
    onChanged?: OnChanged,
    check?: CheckCurrent,
  ): Promise<User | undefined>
  /** Ends every family of the user but that of `from`; false for an unknown user. */
  setPassword(
    userId: UserId,
    passwordHash: string,
    onChanged?: OnChanged,
    from?: PasswordChangeSource,
  ): Promise<boolean>
  /** The same password under new parameters, unless the hash is another one by now. */
  replaceHash(userId: UserId, oldHash: string, newHash: string): Promise<void>
  /** Frees the names, never the id. Deleting again, or nobody, is harmless. */
  delete(userId: UserId, onChanged?: OnChanged, check?: CheckCurrent): Promise<void>
  /** Ends every family but the kept one; false for an unknown user. */
  logoutEverywhere(
    userId: UserId,
    keepFamilyId?: KeptFamilyId,
    onChanged?: OnChanged,
  ): Promise<boolean>
  /** Also of a deleted user; undefined for an id that never was. */
  loadRecord(userId: UserId): Promise<UserRecord | undefined>
}

export function openUserStore(dependencies: UserChangeDependencies): UserStore {
  const { prisma, clock, forgetUser } = dependencies
  const changeUser = openUserChange(dependencies)

  async function find<T>(where: Prisma.UserWhereUniqueInput, read: (row: UserRow) => T) {
    const { user } = await prisma()
    const row = await guardDatabase(() => user.findUnique({ where }))
    return row ? read(row) : undefined
  }

  return {
    async create(user) {
      const data = newRow(user, new Date(clock()))
      const { user: table } = await prisma()
      const create = () => guardDatabase(() => table.create({ data }))
      const row = await refusingTaken(create, UNIQUE_NAMES)
      return presentUser(row)
    },
    findById: (userId) => find({ id: userId }, userOf),
    async findForLogin(key) {
      const client = await prisma()
      const row = await guardDatabase(() => findLoginRow(key, client))
      const credentials = credentialsOf(row)
      return row.isThere ? credentials : undefined
    },
    findCredentials: (userId) => find({ id: userId }, credentialsOf),
    loadRecord: (userId) => find({ id: userId }, recordOf),

    async list({ username, email, status }, page) {
      const { user: table } = await prisma()
      if (username !== undefined || email !== undefined) {
        // One user at most, found by the name alone: PostgreSQL would take it for rarer than a page.
        const where = namesWhere(username, email)
        const rows = await guardDatabase(() => table.findMany({ where }))
        const users = rows.map(presentUser)
        const found = users.filter((user) => status === undefined || user.status === status)
        return takePage(found, page, ({ createdAt, id }) => ({ at: createdAt, id }))
      }
      return await readPage(page, {
        order: OLDEST_FIRST,
        where: { status: status ?? { not: 'deleted' } },
        find: (query) => table.findMany(query),
        toItem: presentUser,
      })
    },

    async patch(userId, patch, onChanged, check) {
      const decide = (row: UserRow, now: Date) => {
        check?.(presentUser(row))
        return patchColumns(row, patch, now)
      }
      return (await changeUser(userId, decide, onChanged)).user
    },

    async setPassword(userId, passwordHash, onChanged, from) {
      const decide = (row: UserRow, now: Date) => {
        from?.check(presentUser(row), recordOf(row))
        const epoch = startEpoch(row, 'password_changed', now, from?.keptFamilyId)
        const proved = from?.provesEmail && { emailVerified: true }
        return { ...epoch, ...proved, passwordHash, passwordChangedAt: now }
      }
      return (await changeUser(userId, decide, onChanged)).changed
    },

    async replaceHash(userId, oldHash, newHash) {
      const where = { id: userId, passwordHash: oldHash }
      const data = { passwordHash: newHash }
      const { user } = await prisma()
      await guardDatabase(() => user.updateMany({ where, data }))
    },

    async delete(userId, onChanged, check) {
      const decide = async (row: UserRow, now: Date, tx: Prisma.TransactionClient) => {
        check?.(presentUser(row))
        await forgetUser(tx, userId)
        return deletionColumns(row, now)
      }
      await changeUser(userId, decide, onChanged)
    },

    async logoutEverywhere(userId, keepFamilyId, onChanged) {
      const decide = (row: UserRow, now: Date) =>
        startEpoch(row, 'logged_out_everywhere', now, keepFamilyId)
      return (await changeUser(userId, decide, onChanged)).changed
    },
  }
}

/** Stands for a name that nobody can have. */
const NOBODYS_KEY = ''

/** For rows of users that are not deleted. */
function presentUser(row: UserRow): User {
  const user = userOf(row)
  if (!user) throw new Error('a user that is not deleted has a name and an email')
  return user
}

/** The columns of a new user that have their defaults in the table. */
type DefaultedColumn = 'status' | 'epoch' | 'version' | 'epochLog' | 'hasFactor' | 'applied'

export function newRow(user: NewUser, now: Date) {
  return {
    id: user.id ?? newUserId(),
    ...usernameColumns(user.username),
    ...emailColumns(user.email),
    emailVerified: user.emailVerified ?? false,
    passwordHash: user.passwordHash,
    roles: [...(user.roles ?? [])],
    createdAt: now,
    updatedAt: now,
    passwordChangedAt: now,
  } satisfies Record<Exclude<keyof UserRow, DefaultedColumn>, unknown>
}

function usernameColumns({ value, key }: UserName) {
  return { username: value, usernameKey: key }
}

function emailColumns({ value, key }: UserName) {
  return { email: value, emailKey: key }
}

function namesWhere(username: string | undefined, email: string | undefined) {
  return {
    ...(username !== undefined && { usernameKey: parseUsername(username)?.key ?? NOBODYS_KEY }),
    ...(email !== undefined && { emailKey: parseEmail(email)?.key ?? NOBODYS_KEY }),
  } satisfies Prisma.UserWhereInput
}

/** Only what differs; what the record holds makes a new version, disabling a new epoch. */
export function patchColumns(row: UserRow, { username, email, ...same }: UserPatch, now: Date) {
  const isNewName = username !== undefined && username.value !== row.username
  const isNewEmail = email !== undefined && email.value !== row.email
  const wanted = {
    // A new address counts as unverified unless the caller says otherwise.
    ...(isNewEmail && { ...emailColumns(email), emailVerified: false }),
    ...definedMembers(same),
  }
  const names = Object.keys(wanted) as (keyof typeof wanted)[]
  const different = names.filter((name) => !isDeepStrictEqual(wanted[name], row[name]))
  const isRecordChanged = isNewName || different.includes('status') || different.includes('roles')
  const columns: Prisma.UserUpdateInput = {
    ...(isNewName && usernameColumns(username)),
    ...Object.fromEntries(different.map((name) => [name, wanted[name]])),
    ...(isRecordChanged && { version: row.version + 1 }),
    ...(same.status === 'disabled' &&
      row.status !== 'disabled' &&
      startEpoch(row, 'user_disabled', now)),
  }
  return Object.keys(columns).length === 0 ? undefined : columns
}

/** What a deleted user's row keeps: a new column either is one of these or is emptied. */
type KeptColumn = 'id' | 'createdAt' | 'updatedAt' | 'passwordChangedAt'

function deletionColumns(row: UserRow, now: Date): Prisma.UserUpdateInput {
  return {
    ...startEpoch(row, 'user_disabled', now),
    status: 'deleted',
    username: null,
    usernameKey: null,
    email: null,
    emailKey: null,
    passwordHash: null,
    emailVerified: false,
    roles: [],
    hasFactor: false,
    applied: {},
  } satisfies Record<Exclude<keyof UserRow, KeptColumn>, unknown>
}
