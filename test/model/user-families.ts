// The rules of families as pure functions, written from docs/semantics.md §3 and not from src: what one
// user's families are in a store, a request to it, the answer, and what the families are then. The property
// tests hold the real stores against them, the machine in this folder takes its steps by them, and the
// histories of test/chaos are judged by them.

import type {
  CreateFamily,
  CreateOutcome,
  EndFamily,
  EndOutcome,
  Family,
  FamilyId,
  InactiveReason,
  RotateFamily,
  RotateOutcome,
} from '../../src/families/family.ts'
import type { UserRecord } from '../../src/users/user.ts'

/** What a store holds of one user: the copy of the record, undefined where it was lost, and the families. */
export interface UserFamilies {
  readonly copy: UserRecord | undefined
  readonly families: readonly Family[]
  /** Families that were ended while the store did not know them: for as long as a call lives. */
  readonly endedUnknown?: readonly FamilyId[]
}

/** One atomic step: what is answered, and what the store holds afterwards. */
export interface Step<Answer> {
  readonly answer: Answer
  readonly after: UserFamilies
}

export const NO_FAMILIES: UserFamilies = { copy: undefined, families: [] }

export function findFamily(of: UserFamilies, familyId: FamilyId): Family | undefined {
  return of.families.find((family) => family.familyId === familyId)
}

/** Takes a newer record only, and stamps the family that the record's newest epoch keeps. */
export function putUser(before: UserFamilies, record: UserRecord): UserFamilies {
  const { copy } = before
  const isNewer = copy === undefined || record.version > copy.version
  const families = before.families.map(stampedBy(record))
  return { ...before, copy: isNewer ? record : copy, families }
}

/**
 * A login. It is refused when the user has moved on since `user` was read. A login that the journal
 * brings again leaves the family as it is, alive or ended (docs/semantics.md §4).
 */
export function createFamily(
  before: UserFamilies,
  { family, user, nowMs }: CreateFamily,
): Step<CreateOutcome> {
  const put = putUser(before, user)
  const copy = put.copy ?? user
  const begun: Family = {
    ...family,
    userId: user.userId,
    generation: 0,
    epoch: user.epoch,
    rotatedAtMs: nowMs,
    usedAtMs: nowMs,
    ended: undefined,
    retriedElsewhere: 0,
  }
  const isEnded = before.endedUnknown?.includes(family.familyId)
  if (isEnded || copy.status !== 'active' || whatPassed(begun, copy)) {
    return { answer: { outcome: 'user_moved' }, after: put }
  }
  const held = findFamily(put, family.familyId)
  const after = held ? put : { ...put, copy, families: [...put.families, begun] }
  return {
    answer: { outcome: 'created', family: held ?? begun, user: copy, displaced: 0 },
    after,
  }
}

/** Presents a refresh token. Checks in the order of docs/semantics.md §3. */
export function rotateFamily(before: UserFamilies, request: RotateFamily): Step<RotateOutcome> {
  const family = findFamily(before, request.familyId)
  if (!family) return inactive(before, 'family_unknown')
  const stranger = whyStranger(family, request)
  if (stranger) return inactive(before, stranger)
  const user = before.copy
  if (!user || user.epoch < family.epoch) {
    return { answer: { outcome: 'user_stale' }, after: before }
  }
  const now = Math.max(request.nowMs, family.usedAtMs)
  const dead = whyDead(family, user, now, request.clientSessionsValidFromMs)
  if (dead) return inactive(before, dead)
  const lead = request.generation - family.generation
  const isRetry = lead === -1 && now - family.rotatedAtMs < request.graceMs
  if (lead < 0 && !isRetry) {
    const ended: Family = { ...family, ended: { reason: 'reuse_detected', atMs: now } }
    return { answer: { outcome: 'replayed', family: ended }, after: saved(before, ended) }
  }
  const error = whyTooWide(family, user, request)
  if (error) return { answer: { outcome: 'refused', error }, after: before }
  return isRetry ? retry(before, family, user, request) : use(before, family, user, request, now)
}

/** Ends one family. Whatever came first in time stays; an end that arrives late may still have come first. */
export function endFamily(
  before: UserFamilies,
  { reason, atMs, ...request }: EndFamily,
): Step<EndOutcome> {
  const family = findFamily(before, request.familyId)
  if (!family) {
    const { endedUnknown = [] } = before
    const ids = [...endedUnknown.filter((id) => id !== request.familyId), request.familyId]
    return { answer: 'unknown', after: { ...before, endedUnknown: ids } }
  }
  if (request.secretHash !== undefined && request.secretHash !== family.secretHash) {
    return { answer: 'secret_wrong', after: before }
  }
  if (request.clientId !== undefined && request.clientId !== family.clientId) {
    return { answer: 'other_client', after: before }
  }
  const { copy } = before
  const passedMs = copy && whatPassed(family, copy)?.atMs
  const ends = [family.ended?.atMs, family.idleExpiresAtMs, family.absoluteExpiresAtMs, passedMs]
  if (ends.some((endMs) => endMs !== undefined && endMs <= atMs)) {
    return { answer: 'already_ended', after: before }
  }
  const after = saved(before, { ...family, ended: { reason, atMs } })
  return { answer: family.ended ? 'already_ended' : 'ended', after }
}

/** Why a family does not live at that moment; undefined while it does. */
export function whyDead(
  family: Family,
  user: UserRecord,
  nowMs: number,
  clientSessionsValidFromMs: number,
): InactiveReason | undefined {
  if (family.ended) return 'family_ended'
  if (nowMs >= family.absoluteExpiresAtMs) return 'family_absolute_expired'
  if (nowMs >= family.idleExpiresAtMs) return 'family_idle_expired'
  if (user.status !== 'active') return 'user_inactive'
  if (whatPassed(family, user)) return 'user_epoch_passed'
  if (family.createdAtMs < clientSessionsValidFromMs) return 'client_sessions_ended'
  return undefined
}

function saved(before: UserFamilies, family: Family): UserFamilies {
  const families = before.families.map((held) =>
    held.familyId === family.familyId ? family : held,
  )
  return { ...before, families }
}

function inactive(before: UserFamilies, reason: InactiveReason): Step<RotateOutcome> {
  return { answer: { outcome: 'inactive', reason }, after: before }
}

/** The epoch that a family has to be stamped with is the one that keeps it, if it lived until then. */
function stampedBy(record: UserRecord): (family: Family) => Family {
  const keptId = record.epochLog.at(-1)?.keptFamilyId
  return (family) =>
    family.familyId === keptId && family.epoch < record.epoch && !whatPassed(family, record)
      ? { ...family, epoch: record.epoch }
      : family
}

/** The first epoch after the family's own that did not keep it. */
function whatPassed(family: Family, user: UserRecord): { readonly atMs: number } | undefined {
  for (let epoch = family.epoch + 1; epoch <= user.epoch; epoch += 1) {
    const start = user.epochLog.find((one) => one.epoch === epoch)
    if (!start) throw new Error('the histories are too short to forget an epoch')
    if (start.keptFamilyId !== family.familyId) return start
  }
  return undefined
}

/** A token that is not this family's, or of somebody who may not present it, changes nothing. */
function whyStranger(family: Family, request: RotateFamily): InactiveReason | undefined {
  if (family.secretHash !== request.secretHash) return 'family_secret_wrong'
  if (family.clientId !== request.clientId) return 'family_of_other_client'
  for (const [name, thumbprint] of Object.entries(family.confirmation ?? {})) {
    if (request.confirmation?.[name as 'jkt'] !== thumbprint) return 'family_key_mismatch'
  }
  return undefined
}

/** A token that is current, or ahead of a store that lost a write. */
function use(
  before: UserFamilies,
  family: Family,
  user: UserRecord,
  request: RotateFamily,
  now: number,
): Step<RotateOutcome> {
  const { neverRotates, generation, ip, userAgent } = request
  const isAhead = generation > family.generation
  const isBound = family.confirmation !== undefined
  const isNever = neverRotates === 'all' || (neverRotates === 'bound' && isBound)
  if (!isNever && !isAhead && now - family.rotatedAtMs < request.rotateAfterMs) {
    return { answer: { outcome: 'kept', family, user, atMs: now, behind: false }, after: before }
  }
  const used: Family = {
    ...family,
    epoch: user.epoch,
    generation: isNever ? generation : generation + 1,
    rotatedAtMs: isAhead || !isNever ? now : family.rotatedAtMs,
    usedAtMs: now,
    idleExpiresAtMs: Math.min(now + request.idleTtlMs, family.absoluteExpiresAtMs),
    ip,
    userAgent,
  }
  const answer: RotateOutcome = isNever
    ? { outcome: 'kept', family: used, user, atMs: now, behind: isAhead }
    : { outcome: 'rotated', family: used, user, behind: isAhead }
  return { answer, after: saved(before, used) }
}

/** The same tokens again. The histories know IPv4 addresses only. */
function retry(
  before: UserFamilies,
  family: Family,
  user: UserRecord,
  { ip, userAgent }: RotateFamily,
): Step<RotateOutcome> {
  const elsewhere = ip !== family.ip || userAgent !== family.userAgent
  const counted = { ...family, retriedElsewhere: family.retriedElsewhere + (elsewhere ? 1 : 0) }
  return {
    answer: { outcome: 'retried', family: counted, user, elsewhere },
    after: saved(before, counted),
  }
}

function whyTooWide(family: Family, user: UserRecord, request: RotateFamily) {
  const scope = request.requestedScope
  if (scope) {
    const granted = new Set(family.scope)
    if (scope.some((name) => !granted.has(name))) return 'invalid_scope'
    const lost = (name: string) =>
      !request.clientScopes.includes(name) ||
      (name === 'lineage:admin' && !user.roles.includes('lineage:admin'))
    if (scope.every(lost)) return 'invalid_scope'
  }
  const reachable = new Set(family.audience.filter((uri) => request.clientAudiences.includes(uri)))
  const audience = request.requestedAudience ?? [...reachable]
  if (reachable.size === 0 || audience.some((uri) => !reachable.has(uri))) return 'invalid_target'
  return undefined
}
