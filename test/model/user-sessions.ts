// One user's sessions as those who call the service see them: each request takes effect at one moment, by
// the rules of user-families.ts, on a record and a store that never differ. What really happens between a
// call and its answer is machine.ts's; a history of calls is judged by this (docs/semantics.md §3).

import type { ClientId } from '../../src/clients/client.ts'
import { BY_PASSWORD, type Family, type FamilyId } from '../../src/families/family.ts'
import type { EpochReason, UserId, UserRecord } from '../../src/users/user.ts'
import {
  createFamily,
  endFamily,
  findFamily,
  putUser,
  rotateFamily,
  type Step,
  type UserFamilies,
  whyDead,
} from './user-families.ts'

/** What is asked of the service about one user. A session is named by its family. */
export type UserRequest =
  | { readonly kind: 'login'; readonly familyId: FamilyId }
  | { readonly kind: 'refresh'; readonly familyId: FamilyId; readonly generation: number }
  | { readonly kind: 'verify'; readonly familyId: FamilyId }
  | { readonly kind: 'revoke'; readonly familyId: FamilyId }
  /** "All but this one", by that session itself. */
  | { readonly kind: 'logOutOthers'; readonly familyId: FamilyId }
  | { readonly kind: 'logOutAll' }
  | { readonly kind: 'disable' }
  | { readonly kind: 'enable' }

/** `generation` is that of the refresh token that was given, where one was. */
export interface UserAnswer {
  readonly isServed: boolean
  readonly generation?: number
}

export interface Moment {
  readonly nowMs: number
  readonly graceMs: number
}

/** A user who exists and has no session. */
export function newUserSessions(userId: string): UserFamilies {
  const copy: UserRecord = {
    userId: userId as UserId,
    epoch: 0,
    status: 'active',
    roles: [],
    version: 0,
    epochLog: [],
  }
  return { copy, families: [] }
}

/** Carries out one request at one moment. */
export function perform(
  before: UserFamilies,
  request: UserRequest,
  { nowMs, graceMs }: Moment,
): Step<UserAnswer> {
  const user = recordOf(before)
  switch (request.kind) {
    case 'login': {
      const input = loginOf(user, request.familyId, nowMs)
      const { answer, after } = createFamily(before, input)
      return answer.outcome === 'created' ? served(after, 0) : refused(before)
    }
    case 'refresh': {
      const { answer, after } = rotateFamily(before, presenting(user, request, nowMs, graceMs))
      const isServed = answer.outcome === 'rotated' || answer.outcome === 'retried'
      return isServed ? served(after, answer.family.generation) : refused(after)
    }
    case 'verify':
      return isAlive(before, request.familyId, nowMs) ? served(before) : refused(before)
    case 'revoke':
      return served(endFamily(before, ending(user, request.familyId, nowMs)).after)
    case 'logOutOthers': {
      if (!isAlive(before, request.familyId, nowMs)) return refused(before)
      return served(putUser(before, nextEpoch(user, 'logged_out_everywhere', nowMs, request)))
    }
    case 'logOutAll':
      return served(putUser(before, nextEpoch(user, 'logged_out_everywhere', nowMs)))
    case 'disable':
      if (user.status !== 'active') return served(before)
      return served(putUser(before, nextEpoch(user, 'user_disabled', nowMs)))
    case 'enable':
      if (user.status === 'active') return served(before)
      return served(putUser(before, { ...user, status: 'active', version: user.version + 1 }))
  }
}

/** The record after a new epoch has begun, in which one family may live on. */
export function nextEpoch(
  user: UserRecord,
  reason: EpochReason,
  atMs: number,
  kept?: { readonly familyId: FamilyId },
): UserRecord {
  const epoch = user.epoch + 1
  const start = { epoch, reason, atMs, ...(kept && { keptFamilyId: kept.familyId }) }
  return {
    ...user,
    epoch,
    status: reason === 'user_disabled' ? 'disabled' : user.status,
    version: user.version + 1,
    epochLog: [...user.epochLog, start],
  }
}

function served(after: UserFamilies, generation?: number): Step<UserAnswer> {
  return { answer: { isServed: true, ...(generation !== undefined && { generation }) }, after }
}

function refused(after: UserFamilies): Step<UserAnswer> {
  return { answer: { isServed: false }, after }
}

function recordOf({ copy }: UserFamilies): UserRecord {
  if (!copy) throw new Error('from outside the record is never lost')
  return copy
}

function isAlive(before: UserFamilies, familyId: FamilyId, nowMs: number): boolean {
  const family = findFamily(before, familyId)
  return family !== undefined && whyDead(family, recordOf(before), nowMs, 0) === undefined
}

/** Lives that no history outlasts, one client, one grant: what else there is has no part in these rules. */
const CLIENT = 'client' as ClientId
const FAR_MS = Number.MAX_SAFE_INTEGER

export function loginOf(user: UserRecord, familyId: FamilyId, nowMs: number) {
  const family = {
    familyId,
    clientId: CLIENT,
    scope: [],
    audience: ['api'],
    amr: BY_PASSWORD,
    confirmation: undefined,
    secretHash: '',
    createdAtMs: nowMs,
    idleExpiresAtMs: FAR_MS,
    absoluteExpiresAtMs: FAR_MS,
    ip: '',
    userAgent: '',
  } satisfies Partial<Family>
  return { family, user, nowMs, clientSessionsValidFromMs: 0 }
}

export function presenting(
  { userId }: Pick<UserRecord, 'userId'>,
  { familyId, generation }: { readonly familyId: FamilyId; readonly generation: number },
  nowMs: number,
  graceMs: number,
) {
  return {
    userId,
    familyId,
    generation,
    secretHash: '',
    clientId: CLIENT,
    confirmation: undefined,
    nowMs,
    graceMs,
    idleTtlMs: FAR_MS,
    rotateAfterMs: 0,
    neverRotates: 'none',
    clientSessionsValidFromMs: 0,
    requestedScope: undefined,
    clientScopes: [],
    requestedAudience: undefined,
    clientAudiences: ['api'],
    ip: '',
    userAgent: '',
  } as const
}

export function ending({ userId }: Pick<UserRecord, 'userId'>, familyId: FamilyId, atMs: number) {
  return { userId, familyId, reason: 'revoked_by_client', atMs } as const
}
