// The methods of the store as scripts, whatever runs them: the whole client under a guard, or the
// one connection over which the journal is re-applied.

import {
  type CreateOutcome,
  type EndOutcome,
  type Family,
  type FamilyId,
  type FamilyStore,
  type InactiveReason,
  LIVE_FAMILIES_MAX,
  type RotateFamily,
  type RotateOutcome,
  TOMBSTONE_SLACK_MS,
} from './family.ts'
import { ROLE_BOUND_SCOPES } from './family-rules.ts'
import { decodeFamily, decodeUser, encodeFamily, encodeUser, keysOf } from './redis-record.ts'
import { loadScript, type RunScript } from './redis-script.ts'

/** What carries a journal entry to Redis, and so passes a closed gate. */
export type JournalCommands = Pick<FamilyStore, 'end' | 'putUser' | 'revokeToken'>
export type FamilyCommands = Pick<FamilyStore, 'create' | 'rotate' | 'inspect' | 'list'>

const createScript = loadScript('create')
const rotateScript = loadScript('rotate')
const inspectScript = loadScript('inspect')
const listScript = loadScript('list')
const endScript = loadScript('end-family')
const putUserScript = loadScript('put-user')
const revokeTokenScript = loadScript('revoke-token')

export const FAMILY_SCRIPTS = [
  createScript,
  rotateScript,
  inspectScript,
  listScript,
  endScript,
  putUserScript,
  revokeTokenScript,
] as const

export function openJournalCommands(run: RunScript): JournalCommands {
  return {
    async end({ userId, familyId, reason, atMs, clientId, secretHash }) {
      const keys = keysOf({ userId })
      const args = [reason, atMs, clientId ?? '', secretHash ?? '']
      return (await run(endScript, [keys.family(familyId), keys.user], args)) as EndOutcome
    },

    async putUser(record, keepFamilyId) {
      const keys = keysOf(record)
      const kept = keepFamilyId === undefined ? [] : [keys.family(keepFamilyId)]
      const args = [...encodeUser(record), TOMBSTONE_SLACK_MS]
      await run(putUserScript, [keys.user, ...kept], args)
    },

    async revokeToken({ owner, jti, expiresAtMs }, nowMs) {
      const ttlMs = Math.ceil(expiresAtMs - nowMs)
      if (ttlMs <= 0) return
      await run(revokeTokenScript, [keysOf(owner).revokedToken(jti)], [ttlMs])
    },
  }
}

export function openFamilyCommands(run: RunScript): FamilyCommands {
  return {
    async create({ family, user, nowMs, clientSessionsValidFromMs }) {
      const { userId, epoch } = user
      const { familyId, clientId, absoluteExpiresAtMs } = family
      const state: Family = {
        ...family,
        userId,
        epoch,
        generation: 0,
        rotatedAtMs: nowMs,
        ended: undefined,
      }
      const keys = keysOf({ userId })
      const goneAtMs = absoluteExpiresAtMs + TOMBSTONE_SLACK_MS
      const reply = (await run(
        createScript,
        [keys.user, keys.family(familyId), keys.families, keys.liveFamilies(clientId)],
        [
          ...encodeUser(user),
          nowMs,
          clientSessionsValidFromMs,
          LIVE_FAMILIES_MAX,
          goneAtMs - nowMs,
          goneAtMs,
          keys.familyPrefix,
          familyId,
          ...encodeFamily(state),
        ],
      )) as [CreateOutcome['outcome'], unknown, unknown]
      if (reply[0] === 'user_moved') return { outcome: 'user_moved' }
      return {
        outcome: 'created',
        family: present(decodeFamily(reply[1], userId, familyId)),
        user: present(decodeUser(reply[2], userId)),
      }
    },

    async rotate(input) {
      const keys = keysOf({ userId: input.userId })
      const reply = await run(
        rotateScript,
        [keys.family(input.familyId), keys.user],
        rotateArguments(input),
      )
      return decodeRotation(reply, input)
    },

    async inspect({ owner, familyId, jti }) {
      const keys = keysOf(owner)
      // What is not asked for is looked up under a name that nothing has.
      const [family, user, revoked] = (await run(
        inspectScript,
        [keys.family(familyId ?? ('' as FamilyId)), keys.user, keys.revokedToken(jti ?? '')],
        [],
      )) as [unknown, unknown, number]
      const { userId } = owner
      return {
        family:
          userId !== undefined && familyId ? decodeFamily(family, userId, familyId) : undefined,
        user: userId === undefined ? undefined : decodeUser(user, userId),
        tokenRevoked: revoked === 1,
      }
    },

    async list(userId) {
      const keys = keysOf({ userId })
      const [user, flat] = (await run(
        listScript,
        [keys.user, keys.families],
        [keys.familyPrefix],
      )) as [unknown, unknown[]]
      const families: Family[] = []
      for (let i = 0; i + 1 < flat.length; i += 2) {
        families.push(present(decodeFamily(flat[i + 1], userId, flat[i] as FamilyId)))
      }
      return { user: decodeUser(user, userId), families: families.sort(compareAge) }
    },
  }
}

function rotateArguments(input: RotateFamily): (string | number)[] {
  const { requestedScope, requestedAudience } = input
  return [
    input.secretHash,
    input.clientId,
    input.generation,
    input.nowMs,
    input.graceMs,
    input.idleTtlMs,
    input.clientSessionsValidFromMs,
    requestedScope ? JSON.stringify(requestedScope) : '',
    JSON.stringify(input.clientScopes),
    JSON.stringify([...ROLE_BOUND_SCOPES]),
    requestedAudience ? JSON.stringify(requestedAudience) : '',
    JSON.stringify(input.clientAudiences),
    input.ip,
    input.userAgent,
  ]
}

function decodeRotation(reply: unknown, { userId, familyId }: RotateFamily): RotateOutcome {
  const [outcome, detail, familyReply, userReply] = reply as [string, string, unknown, unknown]
  const family = () => present(decodeFamily(familyReply, userId, familyId))
  const user = () => present(decodeUser(userReply, userId))
  switch (outcome as RotateOutcome['outcome']) {
    case 'rotated':
      return { outcome: 'rotated', family: family(), user: user(), behind: detail === 'behind' }
    case 'retried':
      return { outcome: 'retried', family: family(), user: user() }
    case 'replayed':
      return { outcome: 'replayed', family: family() }
    case 'refused':
      return { outcome: 'refused', error: detail as 'invalid_scope' | 'invalid_target' }
    case 'inactive':
      return { outcome: 'inactive', reason: detail as InactiveReason }
    case 'user_stale':
      return { outcome: 'user_stale' }
  }
}

function compareAge(one: Family, other: Family): number {
  return one.createdAtMs - other.createdAtMs || (one.familyId < other.familyId ? -1 : 1)
}

function present<T>(value: T | undefined): T {
  if (value === undefined) throw new TypeError('a script answered without its record')
  return value
}
