// The journal: what must reach the family store is committed to PostgreSQL first, so that a crash
// or a failover between the two loses nothing (docs/semantics.md §4). Applying an entry again is
// harmless.

import type { UserRecord } from '../users/user.ts'
import {
  BY_PASSWORD,
  type CreateFamily,
  type EndFamily,
  type FamilyId,
  type RevokedToken,
} from './family.ts'
import type { FamilyStore } from './family-store.ts'

export type JournalPayload =
  | {
      readonly kind: 'user'
      readonly record: UserRecord
      /** Only in rows of an older release, whose epoch log did not name the kept family. */
      readonly keepFamilyId?: FamilyId
    }
  | { readonly kind: 'family'; readonly end: EndFamily }
  | { readonly kind: 'token'; readonly token: RevokedToken }
  /** A login, so that a store that lost what it had confirmed can be given it again. */
  | { readonly kind: 'created'; readonly login: CreateFamily }

export interface JournalEntry {
  readonly id: bigint
  readonly atMs: number
  readonly payload: JournalPayload
}

/** The journal as the rest of the service uses it. Rejects with DependencyUnavailable. */
export interface Journal {
  /**
   * Writes the entry, unless one about the same thing is there; says whether it was written. It is
   * kept until `keepUntilMs`, without that as long as any family may live.
   */
  append(payload: JournalPayload, keepUntilMs?: number): Promise<boolean>
  /** The login that made the family, if it is young and nothing has ended it. */
  findLogin(familyId: FamilyId): Promise<CreateFamily | undefined>
  /** Forgets the login: it failed, and nobody was given its tokens. */
  retractLogin(familyId: FamilyId): Promise<void>
  /**
   * Every entry written at `sinceMs` (by the database's clock) or later that still counts, oldest
   * first, in pages.
   */
  readSince(sinceMs: number): AsyncIterable<readonly JournalEntry[]>
  /**
   * Deletes entries that end nothing any more. One without `keepUntilMs` is deleted when it is
   * older than `longestFamilyMs` and than the longest life that any client gives a family.
   */
  prune(nowMs: number, longestFamilyMs: number): Promise<void>
}

/**
 * How much longer than needed an entry is kept that ends something, because clocks may differ.
 */
export const JOURNAL_SLACK_MS = 60 * 60 * 1000

/** A family store as far as entries are applied to it. */
export interface JournalTarget extends Pick<FamilyStore, 'end' | 'putUser' | 'revokeToken'> {
  /** Makes a family that was lost; one that is there stays as it is, also when it has ended. */
  restore(login: CreateFamily): Promise<void>
}

/** Applies one entry to the store. */
export async function applyJournalPayload(
  payload: JournalPayload,
  store: JournalTarget,
  nowMs: number,
): Promise<void> {
  switch (payload.kind) {
    case 'user':
      return await store.putUser(withKeptFamily(payload.record, payload.keepFamilyId))
    case 'family':
      await store.end(payload.end)
      return
    case 'token':
      return await store.revokeToken(payload.token, nowMs)
    case 'created':
      return await store.restore(loginOf(payload))
  }
}

/**
 * The login that an entry tells of. One of a release without factors does not say how it was made, and
 * one that is bound to nothing does not say that.
 */
export function loginOf({ login }: Extract<JournalPayload, { kind: 'created' }>): CreateFamily {
  const { amr = BY_PASSWORD, confirmation } = login.family
  return { ...login, family: { ...login.family, amr, confirmation } }
}

/** Puts the kept family of an older release's entry where it is today: into the newest epoch. */
function withKeptFamily(record: UserRecord, keptFamilyId: FamilyId | undefined): UserRecord {
  const newest = record.epochLog.at(-1)
  if (keptFamilyId === undefined || newest?.epoch !== record.epoch) return record
  const epochLog = [...record.epochLog.slice(0, -1), { ...newest, keptFamilyId }]
  return { ...record, epochLog }
}

/** The unique key of an entry, so that there is no second one; undefined for changes of users. */
export function subjectOf(payload: JournalPayload): string | undefined {
  switch (payload.kind) {
    case 'user':
      return undefined
    case 'family': {
      // With its conditions: an end that the store will refuse must not prevent one that it
      // accepts.
      const { familyId, clientId = '', secretHash = '' } = payload.end
      return `end:${familyId}:${clientId}:${secretHash}`
    }
    case 'token': {
      const { owner, jti } = payload.token
      const of = owner.userId === undefined ? `c:${owner.clientId}` : `u:${owner.userId}`
      return `token:${of}:${jti}`
    }
    case 'created':
      return loginSubject(payload.login.family.familyId)
  }
}

export function loginSubject(familyId: FamilyId): string {
  return `login:${familyId}`
}
