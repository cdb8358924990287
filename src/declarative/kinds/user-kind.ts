// Users as a kind of resource: each by the username, without a password; what a file does not say stays as
// it is. Who is not named any more is disabled, never deleted.

import type { DeclarationManagement } from '../../management/declaration-management.ts'
import { nextMark } from '../../runtime/applied-mark.ts'
import { definedMembers } from '../../runtime/defined-members.ts'
import type { FieldError } from '../../runtime/field-error.ts'
import type { DeclaredUser, UserWish } from '../../users/user-declaration.ts'
import type { UserPatchInput } from '../../users/user-draft.ts'
import { parseEmail, parseUsername } from '../../users/user-names.ts'
import { API_VERSION, type Resource } from '../declared-resource.ts'
import { diffLabels, diffMembers, type FieldChange, listMembers } from '../field-change.ts'
import {
  changeUnlessEmpty,
  type Judgement,
  type KindOfResource,
  placeErrors,
  type StoredResource,
  type WantedResource,
} from '../planned-change.ts'

const PLACES = { '/username': '/metadata/name' }

interface UserSpec extends Omit<UserPatchInput, 'username'> {
  readonly id?: string
  readonly email: string
}

export function openUserKind(declarations: DeclarationManagement): KindOfResource {
  const { users } = declarations

  function judgeOne(
    { resource }: WantedResource,
    stored: DeclaredUser | undefined,
    holderOf: ReadonlyMap<string, string>,
  ): Judgement {
    const wish = toWish(resource, stored)
    const checked = users.check(wish, stored)
    if (!checked.ok) return { errors: placeErrors(checked.errors, PLACES) }
    const { username, email } = checked.value
    const holder = holderOf.get(email.key)
    if (holder !== stored?.user.id && holder !== username.key) return { errors: [TAKEN] }
    const change = changeUnlessEmpty({
      ...{ kind: 'User', name: username.value, action: stored ? 'update' : 'create' },
      fields: stored
        ? listChanges(stored, wish, { username: username.value, email: email.value })
        : [...diffLabels(undefined, wish.mark.labels), ...listMembers('/spec', resource.spec)],
      carryOut: (act) => declarations.putUser(wish, act),
    })
    return { errors: [], change }
  }

  return {
    kind: 'User',
    identify,
    async judge(wanted) {
      const stored = await users.readNamed(
        wanted.map(({ resource }) => identify(resource.metadata.name)),
      )
      const byKey = new Map(stored.map((one) => [one.usernameKey, one]))
      const holderOf = await findHolders(wanted)
      return wanted.map((one) =>
        judgeOne(one, byKey.get(identify(one.resource.metadata.name)), holderOf),
      )
    },
    async *listStored(labels) {
      for await (const ids of users.listIds(labels)) {
        yield (await users.readMany(ids)).map((one) => toStored(one, declarations))
      }
    },
  }

  /** Who has each address, by id, or by the key of the name the first of the files that asks for it. */
  async function findHolders(wanted: readonly WantedResource[]): Promise<Map<string, string>> {
    const holderOf = new Map<string, string>()
    for (const { resource } of wanted) {
      const { key } = parseEmail((resource.spec as unknown as UserSpec).email) ?? {}
      if (key !== undefined && !holderOf.has(key))
        holderOf.set(key, identify(resource.metadata.name))
    }
    for (const [key, id] of await users.readHolders([...holderOf.keys()])) holderOf.set(key, id)
    return holderOf
  }
}

const TAKEN: FieldError = { pointer: '/spec/email', detail: 'is that of another user' }

function identify(name: string): string {
  return parseUsername(name)?.key ?? name
}

function toWish(resource: Resource, stored: DeclaredUser | undefined): UserWish {
  const { name, labels = {} } = resource.metadata
  const { id, ...settings } = resource.spec as unknown as UserSpec
  // Whom an apply has disabled is enabled by being named again.
  const status = settings.status ?? (stored?.mark.pruned ? 'active' : undefined)
  return {
    id,
    settings: { ...definedMembers({ ...settings, status }), username: name, email: settings.email },
    mark: { labels },
  }
}

/** Of what the file says; a changed address is not verified unless the file says so. */
function listChanges(
  { user, mark }: DeclaredUser,
  { settings, mark: wanted }: UserWish,
  names: { readonly username: string; readonly email: string },
): FieldChange[] {
  const { username: _, ...said } = definedMembers(settings)
  const isNewEmail = names.email !== user.email
  const after = { ...(isNewEmail && { emailVerified: false }), ...said, email: names.email }
  const before = Object.fromEntries(
    Object.keys(after).map((name) => [name, user[name as keyof typeof after]]),
  )
  const next = nextMark(mark, wanted)
  return [
    ...diffMembers(
      '/metadata',
      { name: user.username, pruned: mark.pruned },
      { name: names.username },
    ),
    ...diffLabels(mark.labels, next.labels),
    ...diffMembers('/spec', before, after),
  ]
}

function toStored(
  { user, usernameKey, mark }: DeclaredUser,
  declarations: DeclarationManagement,
): StoredResource {
  const { id, username, email, emailVerified, status, roles } = user
  const { labels } = mark
  return {
    name: username,
    identity: usernameKey,
    document: {
      apiVersion: API_VERSION,
      kind: 'User',
      metadata: { name: username, ...(labels && { labels }) },
      spec: { id, email, emailVerified, status, roles },
    },
    hasSecret: false,
    isMade: mark.made === true,
    removal:
      status === 'disabled'
        ? undefined
        : {
            ...{ kind: 'User', name: username, action: 'disable' },
            fields: [{ pointer: '/spec/status', before: status, after: 'disabled' }],
            carryOut: (act) => declarations.retireUser(id, act),
          },
  }
}
