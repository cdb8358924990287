// The methods of the store as scripts, whatever runs them: the whole client under a guard, or the
// one connection over which the journal is re-applied.

import { ROLE_BOUND_SCOPES } from '../../oauth/role-bound-scope.ts'
import type { RunScript } from '../../redis/redis-script.ts'
import {
  type CreateFamily,
  type CreateOutcome,
  type EndOutcome,
  type InactiveReason,
  type Inspect,
  type Inspection,
  LIVE_FAMILIES_MAX,
  type RotateFamily,
  type RotateOutcome,
  TOMBSTONE_SLACK_MS,
} from '../family.ts'
import { beginFamily, momentOf } from '../family-rules.ts'
import type { FamilyStore } from '../family-store.ts'
import type { JournalTarget } from '../journal.ts'
import { loadBareScript, loadScript } from './family-script.ts'
import { packText, packWords } from './packed-text.ts'
import { LIST_SCRIPTS, openListCommands } from './redis-family-list.ts'
import { keysOf } from './redis-keys.ts'
import { decodeFamily, decodeUser, encodeFamily, encodeUser } from './redis-record.ts'

export type FamilyCommands = Pick<FamilyStore, 'create' | 'rotate' | 'inspect' | 'index' | 'read'>

const createScript = loadScript('adding', 'create')
const rotateScript = loadScript('changing', 'rotate')
const inspectScript = loadBareScript('reading', 'inspect')
const endScript = loadScript('changing', 'end-family')
const putUserScript = loadScript('changing', 'put-user')
const revokeTokenScript = loadScript('changing', 'revoke-token')

const PACKED_ROLE_BOUND = packWords(ROLE_BOUND_SCOPES)

export const FAMILY_SCRIPTS = [
  createScript,
  rotateScript,
  inspectScript,
  ...LIST_SCRIPTS,
  endScript,
  putUserScript,
  revokeTokenScript,
] as const

/** What applies a journal entry to Redis; a closed gate lets it through. */
export function openJournalCommands(run: RunScript): JournalTarget {
  return {
    async end({ userId, familyId, reason, atMs, clientId, secretHash }) {
      const keys = keysOf({ userId })
      const args = [reason, atMs, clientId ?? '', secretHash ?? '']
      return (await run(endScript, [keys.family(familyId), keys.user], args)) as EndOutcome
    },

    async putUser(record) {
      await run(putUserScript, [keysOf(record).user], [...encodeUser(record), TOMBSTONE_SLACK_MS])
    },

    async revokeToken({ owner, jti, expiresAtMs }, nowMs) {
      const ttlMs = Math.ceil(expiresAtMs - nowMs)
      if (ttlMs <= 0) return
      await run(revokeTokenScript, [keysOf(owner).revokedToken(jti)], [ttlMs])
    },

    async restore(login) {
      await create(run, login)
    },
  }
}

export function openFamilyCommands(run: RunScript): FamilyCommands {
  return {
    create: (input) => create(run, input),
    rotate: (input) => rotate(run, input),
    inspect: (input) => inspect(run, input),
    ...openListCommands(run),
  }
}

async function create(run: RunScript, input: CreateFamily): Promise<CreateOutcome> {
  const { user, nowMs } = input
  const { userId } = user
  const family = beginFamily(input, user)
  const { familyId } = family
  const keys = keysOf({ userId })
  const [outcome, made, copy, displaced] = (await run(
    createScript,
    [keys.user, keys.family(familyId)],
    [
      ...encodeUser(user),
      nowMs,
      input.clientSessionsValidFromMs,
      LIVE_FAMILIES_MAX,
      family.absoluteExpiresAtMs + TOMBSTONE_SLACK_MS - nowMs,
      ...encodeFamily(family),
    ],
  )) as [CreateOutcome['outcome'], unknown, unknown, number]
  if (outcome === 'user_moved') return { outcome }
  return {
    outcome,
    family: expectRecord(decodeFamily(made, userId, familyId)),
    user: expectRecord(decodeUser(copy, userId)),
    displaced,
  }
}

async function rotate(run: RunScript, input: RotateFamily): Promise<RotateOutcome> {
  const { userId, familyId } = input
  const keys = keysOf({ userId })
  const reply = await run(rotateScript, [keys.family(familyId), keys.user], rotateArguments(input))
  const [outcome, detail, ...records] = reply as [RotateOutcome['outcome'], string, ...unknown[]]
  const family = () => expectRecord(decodeFamily(records[0], userId, familyId))
  const user = () => expectRecord(decodeUser(records[1], userId))
  switch (outcome) {
    case 'rotated':
      return { outcome, family: family(), user: user(), behind: detail === 'behind' }
    case 'kept': {
      const kept = family()
      const atMs = momentOf(kept, input.nowMs)
      return { outcome, family: kept, user: user(), atMs, behind: detail === 'behind' }
    }
    case 'retried':
      return { outcome, family: family(), user: user(), elsewhere: detail === 'elsewhere' }
    case 'replayed':
      return { outcome, family: family() }
    case 'refused':
      return { outcome, error: detail as 'invalid_scope' | 'invalid_target' }
    case 'inactive':
      return { outcome, reason: detail as InactiveReason }
    case 'user_stale':
      return { outcome }
  }
}

async function inspect(run: RunScript, input: Inspect): Promise<Inspection> {
  const { owner, familyId, jti = '', earlierJtis = [] } = input
  const keys = keysOf(owner)
  // The script reads three keys at least; what is not asked for is read under a key that nobody has.
  const family = familyId === undefined ? `${keys.familyPrefix}-` : keys.family(familyId)
  const tokens = [jti, ...earlierJtis].map(keys.revokedToken)
  const reply = await run(inspectScript, [family, keys.user, ...tokens], [])
  const [familyReply, userReply, revoked] = reply as [unknown, unknown, number]
  const { userId } = owner
  const isOfUser = userId !== undefined
  return {
    family: isOfUser && familyId ? decodeFamily(familyReply, userId, familyId) : undefined,
    user: isOfUser ? decodeUser(userReply, userId) : undefined,
    tokenRevoked: revoked > 0,
  }
}

function rotateArguments(input: RotateFamily): (string | number)[] {
  const { requestedScope, requestedAudience } = input
  const args = [
    input.secretHash,
    input.clientId,
    input.generation,
    input.nowMs,
    input.graceMs,
    input.idleTtlMs,
    input.clientSessionsValidFromMs,
    input.ip,
    packText(input.userAgent),
    packWords(input.clientAudiences),
    // A blank is no audience at all, which is refused; nothing is the default.
    requestedAudience ? packWords(requestedAudience) || ' ' : '',
  ]
  // What few requests have comes last and is left out otherwise: Redis takes time for each argument.
  const { confirmation, rotateAfterMs, neverRotates } = input
  const isPlain = !confirmation && rotateAfterMs === 0 && neverRotates === 'none'
  if (requestedScope) {
    args.push(packWords(requestedScope), packWords(input.clientScopes), PACKED_ROLE_BOUND)
  } else if (!isPlain) args.push('', '', '')
  if (!isPlain) {
    const { jkt = '', 'x5t#S256': x5t = '' } = confirmation ?? {}
    args.push(jkt, x5t, rotateAfterMs, neverRotates)
  }
  return args
}

function expectRecord<T>(value: T | undefined): T {
  if (value === undefined) throw new TypeError('a script answered without its record')
  return value
}
