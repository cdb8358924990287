// Users as files that are applied say them: each by the username, without a password. What a file does not
// say of a user stays as it is, because users and administrators change it, too. One user is written in one
// transaction, and what is so already is not written.

import { isDeepStrictEqual } from 'node:util'
import { refusingTaken } from '../database/already-taken.ts'
import { listAppliedIds } from '../database/applied-rows.ts'
import { type Database, guardDatabase } from '../database/database.ts'
import type { User as UserRow } from '../generated/prisma/client.ts'
import {
  type AppliedMark,
  type Labels,
  nextMark,
  type WantedMark,
} from '../runtime/applied-mark.ts'
import type { Checked, FieldError } from '../runtime/field-error.ts'
import type { User, UserId } from './user.ts'
import { openUserChange, UNIQUE_NAMES, type UserChangeDependencies } from './user-change.ts'
import { draftUserPatch, type UserPatch, type UserPatchInput } from './user-draft.ts'
import { parseUserId } from './user-id.ts'
import type { UserName } from './user-names.ts'
import { userOf } from './user-row.ts'
import { newRow, patchColumns } from './user-store.ts'

export interface DeclaredUser {
  readonly user: User
  readonly usernameKey: string
  readonly mark: AppliedMark
}

export interface UserWish {
  /** Of a new user; that of an existing one never changes. */
  readonly id?: string | undefined
  readonly settings: UserPatchInput & { readonly username: string; readonly email: string }
  readonly mark: WantedMark
}

/** What may be stored. */
export interface CheckedUserWish extends UserPatch {
  readonly id: UserId | undefined
  readonly username: UserName
  readonly email: UserName
}

/** What came of it; nothing where all was so already. */
export interface UserOutcome {
  readonly userId: UserId
  readonly created: boolean
  /** The members that were changed, and `labels`. */
  readonly changed: readonly string[]
}

/** Every method but `check` rejects with DependencyUnavailable, a change of a user as `UserStore` does. */
export interface UserDeclarations {
  /** Every fault of what is wished for, beside the user who has the name. */
  check(wish: UserWish, stored: DeclaredUser | undefined): Checked<CheckedUserWish>
  /** Those who have one of the names, by the keys of the names. */
  readNamed(usernameKeys: readonly string[]): Promise<readonly DeclaredUser[]>
  readMany(ids: readonly string[]): Promise<readonly DeclaredUser[]>
  /** The ids of those who have one of the addresses, by its key. */
  readHolders(emailKeys: readonly string[]): Promise<ReadonlyMap<string, string>>
  /** Without labels all users. */
  listIds(labels: Labels | undefined): AsyncIterable<readonly string[]>
  /**
   * Throws AlreadyTaken with `/id`, `/username` or `/email`. `makeHash` is asked where the user is new;
   * `onDone` is told once it is committed, also when the call then rejects (as `OnChanged`).
   */
  put(
    wish: UserWish,
    makeHash: () => Promise<string>,
    onDone: (outcome: UserOutcome) => void,
  ): Promise<Checked<undefined>>
  /** Disables a user whom a file has made, and remembers why; nobody else. */
  retire(userId: UserId, onDone: () => void): Promise<void>
}

type Dependencies = UserChangeDependencies & { readonly database: Pick<Database, 'pool'> }

export function openUserDeclarations(dependencies: Dependencies): UserDeclarations {
  const { prisma, database, clock } = dependencies
  const changeUser = openUserChange(dependencies)

  async function readWhere(where: object): Promise<UserRow[]> {
    const { user } = await prisma()
    return await guardDatabase(() => user.findMany({ where }))
  }

  async function readNamed(keys: readonly string[]): Promise<DeclaredUser[]> {
    return (await readWhere({ usernameKey: { in: [...keys] } })).flatMap(toDeclared)
  }

  return {
    check: checkWish,
    readNamed,
    readMany: async (ids) => (await readWhere({ id: { in: [...ids] } })).flatMap(toDeclared),
    listIds: (labels) => listAppliedIds(database, 'users', labels),

    async readHolders(keys) {
      const rows = await readWhere({ emailKey: { in: [...keys] } })
      return new Map(rows.map(({ id, emailKey }) => [emailKey ?? '', id]))
    },

    async put(wish, makeHash, onDone) {
      const checkedNames = checkWish(wish, undefined)
      if (!checkedNames.ok) return checkedNames
      const [stored] = await readNamed([checkedNames.value.username.key])
      const checked = checkWish(wish, stored)
      if (!checked.ok) return checked
      if (!stored) {
        const passwordHash = await makeHash()
        onDone(await makeUser(checked.value, wish.mark, passwordHash))
        return { ok: true, value: undefined }
      }
      let isMarked = false
      const decide = (row: UserRow, now: Date) => {
        const mark = nextMark(row.applied as AppliedMark, wish.mark)
        isMarked = !isDeepStrictEqual(mark, row.applied)
        const { id, ...patch } = checked.value
        const columns = patchColumns(row, patch, now)
        return isMarked ? { ...columns, applied: { ...mark } } : columns
      }
      const userId = stored.user.id
      await changeUser(userId, decide, (changed) =>
        onDone({ userId, created: false, changed: isMarked ? [...changed, 'labels'] : changed }),
      )
      return { ok: true, value: undefined }
    },

    async retire(userId, onDone) {
      const decide = (row: UserRow, now: Date) => {
        const mark = row.applied as AppliedMark
        if (!mark.made) return undefined
        const columns = patchColumns(row, { status: 'disabled' }, now)
        return columns && { ...columns, applied: { ...mark, pruned: true } }
      }
      await changeUser(userId, decide, onDone)
    },
  }

  async function makeUser(
    { id, status, ...user }: CheckedUserWish,
    mark: WantedMark,
    passwordHash: string,
  ): Promise<UserOutcome> {
    const data = {
      ...newRow({ ...user, id, passwordHash }, new Date(clock())),
      status: status ?? 'active',
      applied: { ...nextMark(undefined, mark) },
    }
    const { user: table } = await prisma()
    const create = () => guardDatabase(() => table.create({ data }))
    const row = await refusingTaken(create, UNIQUE_NAMES)
    return { userId: row.id as UserId, created: true, changed: [] }
  }
}

/** Nobody where the user is deleted. */
function toDeclared(row: UserRow): DeclaredUser[] {
  const user = userOf(row)
  if (!user) return []
  return [{ user, usernameKey: row.usernameKey ?? '', mark: row.applied as AppliedMark }]
}

function checkWish(
  { id, settings }: UserWish,
  stored: DeclaredUser | undefined,
): Checked<CheckedUserWish> {
  const userId = id === undefined ? undefined : parseUserId(id)
  const checked = draftUserPatch(settings)
  const errors: FieldError[] = checked.ok ? [] : [...checked.errors]
  if (id !== undefined && !userId) errors.push({ pointer: '/id', detail: 'must be a UUID' })
  if (stored && userId && stored.user.id !== userId) {
    errors.push({ pointer: '/id', detail: 'is not the id of the user who has this name' })
  }
  if (!checked.ok || errors.length > 0) return { ok: false, errors }
  const { username, email } = checked.value
  if (!username || !email) throw new Error('a name that was given and kept its rule is there')
  return { ok: true, value: { ...checked.value, id: userId, username, email } }
}
