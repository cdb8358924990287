// The journal: what must reach the family store is committed to PostgreSQL first, so that a crash
// or a failover between the two loses nothing (DESIGN §5). Applying an entry again is harmless.

import type { UserRecord } from '../users/user.ts'
import type { EndFamily, EndOutcome, FamilyId, FamilyStore, RevokedToken } from './family.ts'

export type JournalPayload =
  | {
      readonly kind: 'user'
      readonly record: UserRecord
      /** Only in rows of versions whose records did not name it in their log. */
      readonly keepFamilyId?: FamilyId
    }
  | { readonly kind: 'family'; readonly end: EndFamily }
  | { readonly kind: 'token'; readonly token: RevokedToken }

export interface JournalEntry {
  readonly id: bigint
  readonly atMs: number
  readonly payload: JournalPayload
}

/** The journal as the rest of the service uses it. Rejects with DependencyUnavailable. */
export interface Journal {
  append(payload: JournalPayload): Promise<void>
  /** Every entry written at `sinceMs` (by the database's clock) or later, oldest first. */
  readSince(sinceMs: number): Promise<readonly JournalEntry[]>
  /** Deletes what is older than `olderThanMs`, by the database's clock. */
  prune(olderThanMs: number): Promise<void>
}

/** Carries one entry to the store; the outcome of an ended family, undefined for the other kinds. */
export async function applyJournalPayload(
  payload: JournalPayload,
  store: Pick<FamilyStore, 'end' | 'putUser' | 'revokeToken'>,
  nowMs: number,
): Promise<EndOutcome | undefined> {
  switch (payload.kind) {
    case 'user':
      await store.putUser(naming(payload.record, payload.keepFamilyId))
      return undefined
    case 'family':
      return await store.end(payload.end)
    case 'token':
      await store.revokeToken(payload.token, nowMs)
      return undefined
  }
}

/** The record as it is written today: its newest epoch names the family that it keeps. */
function naming(record: UserRecord, keptFamilyId: FamilyId | undefined): UserRecord {
  const newest = record.epochLog.at(-1)
  if (keptFamilyId === undefined || newest?.epoch !== record.epoch) return record
  const epochLog = [...record.epochLog.slice(0, -1), { ...newest, keptFamilyId }]
  return { ...record, epochLog }
}
