// A family store as one page of plain memory, written from docs/semantics.md §3 and not from src:
// what the property test holds the real ones against. One call at a time, no garbage collection.

import type {
  CreateFamily,
  CreateOutcome,
  EndFamily,
  Family,
  FamilyId,
  RotateFamily,
  RotateOutcome,
} from '../../src/families/family.ts'
import type { UserId, UserRecord } from '../../src/users/user.ts'

export interface FamilyModel {
  create(input: CreateFamily): CreateOutcome
  rotate(input: RotateFamily): RotateOutcome
  end(input: EndFamily): string
  putUser(record: UserRecord): void
  forgetUser(userId: UserId): void
  copyOf(userId: UserId): UserRecord | undefined
  find(userId: UserId, familyId: FamilyId): Family | undefined
  familiesOf(userId: UserId): Family[]
}

export function newFamilyModel(): FamilyModel {
  const copies = new Map<UserId, UserRecord>()
  const families = new Map<string, Family>()
  const key = (of: { userId: UserId; familyId: FamilyId }) => `${of.userId}/${of.familyId}`
  const save = (family: Family) => families.set(key(family), family)

  function putUser(record: UserRecord): void {
    const copy = copies.get(record.userId)
    if (!copy || record.version > copy.version) copies.set(record.userId, record)
    stampKept(record)
  }

  function stampKept(record: UserRecord): void {
    for (const family of families.values()) {
      const isKept = record.epochLog.at(-1)?.keptFamilyId === family.familyId
      const isOfUser = family.userId === record.userId && family.epoch < record.epoch
      if (isKept && isOfUser && !whatPassed(family, record)) {
        save({ ...family, epoch: record.epoch })
      }
    }
  }

  function create({ family, user, nowMs }: CreateFamily): CreateOutcome {
    stampKept(user)
    const stored = copies.get(user.userId)
    const copy = stored && stored.version >= user.version ? stored : user
    if (copy.status !== 'active' || copy.epoch !== user.epoch) return { outcome: 'user_moved' }
    copies.set(user.userId, copy)
    const made: Family = {
      ...family,
      userId: user.userId,
      generation: 0,
      epoch: user.epoch,
      rotatedAtMs: nowMs,
      usedAtMs: nowMs,
      ended: undefined,
      retriedElsewhere: 0,
    }
    save(made)
    return { outcome: 'created', family: made, user: copy, displaced: 0 }
  }

  function rotate(request: RotateFamily): RotateOutcome {
    const family = families.get(key(request))
    if (!family) return { outcome: 'inactive', reason: 'family_unknown' }
    if (family.secretHash !== request.secretHash) {
      return { outcome: 'inactive', reason: 'family_secret_wrong' }
    }
    if (family.clientId !== request.clientId) {
      return { outcome: 'inactive', reason: 'family_of_other_client' }
    }
    for (const [name, thumbprint] of Object.entries(family.confirmation ?? {})) {
      const shown = request.confirmation?.[name as 'jkt']
      if (shown !== thumbprint) return { outcome: 'inactive', reason: 'family_key_mismatch' }
    }
    const user = copies.get(family.userId)
    if (!user || user.epoch < family.epoch) return { outcome: 'user_stale' }
    const now = Math.max(request.nowMs, family.usedAtMs)
    const reason = whyDead(family, user, now, request.clientSessionsValidFromMs)
    if (reason) return { outcome: 'inactive', reason }
    const lead = request.generation - family.generation
    const isRetry = lead === -1 && now - family.rotatedAtMs < request.graceMs
    if (lead < 0 && !isRetry) {
      const ended: Family = { ...family, ended: { reason: 'reuse_detected', atMs: now } }
      save(ended)
      return { outcome: 'replayed', family: ended }
    }
    const error = whyTooWide(family, user, request)
    if (error) return { outcome: 'refused', error }
    const isBound = family.confirmation !== undefined
    const { neverRotates } = request
    if (lead >= 0 && (neverRotates === 'all' || (neverRotates === 'bound' && isBound))) {
      const used: Family = {
        ...family,
        epoch: user.epoch,
        generation: request.generation,
        rotatedAtMs: lead > 0 ? now : family.rotatedAtMs,
        usedAtMs: now,
        idleExpiresAtMs: Math.min(now + request.idleTtlMs, family.absoluteExpiresAtMs),
        ip: request.ip,
        userAgent: request.userAgent,
      }
      save(used)
      return { outcome: 'kept', family: used, user, atMs: now, behind: lead > 0 }
    }
    if (lead === 0 && now - family.rotatedAtMs < request.rotateAfterMs) {
      return { outcome: 'kept', family, user, atMs: now, behind: false }
    }
    if (lead >= 0) {
      const rotated: Family = {
        ...family,
        epoch: user.epoch,
        generation: request.generation + 1,
        rotatedAtMs: now,
        usedAtMs: now,
        idleExpiresAtMs: Math.min(now + request.idleTtlMs, family.absoluteExpiresAtMs),
        ip: request.ip,
        userAgent: request.userAgent,
      }
      save(rotated)
      return { outcome: 'rotated', family: rotated, user, behind: lead > 0 }
    }
    const elsewhere = isElsewhere(family, request)
    const counted = { ...family, retriedElsewhere: family.retriedElsewhere + (elsewhere ? 1 : 0) }
    save(counted)
    return { outcome: 'retried', family: counted, user, elsewhere }
  }

  function end({ reason, atMs, ...request }: EndFamily): string {
    const family = families.get(key(request))
    if (!family) return 'unknown'
    if (request.secretHash !== undefined && request.secretHash !== family.secretHash) {
      return 'secret_wrong'
    }
    if (request.clientId !== undefined && request.clientId !== family.clientId) {
      return 'other_client'
    }
    // Whatever came first in time; an end that arrives late may still have come first.
    const copy = copies.get(family.userId)
    const ends = [
      family.ended?.atMs,
      family.idleExpiresAtMs,
      copy && whatPassed(family, copy)?.atMs,
    ]
    if (ends.some((endMs) => endMs !== undefined && endMs <= atMs)) return 'already_ended'
    save({ ...family, ended: { reason, atMs } })
    return family.ended ? 'already_ended' : 'ended'
  }

  return {
    create,
    rotate,
    end,
    putUser,
    forgetUser: (userId) => void copies.delete(userId),
    copyOf: (userId) => copies.get(userId),
    find: (userId, familyId) => families.get(key({ userId, familyId })),
    familiesOf: (userId) => [...families.values()].filter((family) => family.userId === userId),
  }
}

/** The histories know IPv4 addresses only. */
function isElsewhere(family: Family, { ip, userAgent }: RotateFamily): boolean {
  return ip !== family.ip || userAgent !== family.userAgent
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

function whyDead(family: Family, user: UserRecord, now: number, validFromMs: number) {
  if (family.ended) return 'family_ended'
  if (now >= family.absoluteExpiresAtMs) return 'family_absolute_expired'
  if (now >= family.idleExpiresAtMs) return 'family_idle_expired'
  if (user.status !== 'active') return 'user_inactive'
  if (whatPassed(family, user)) return 'user_epoch_passed'
  if (family.createdAtMs < validFromMs) return 'client_sessions_ended'
  return undefined
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
