// The journal against what it is about: users in PostgreSQL, families and copies in their store.

import type { Family, TokenOwner } from '../../src/families/family.ts'
import { type JournalPayload, loginOf } from '../../src/families/journal.ts'
import type { UserRecord } from '../../src/users/user.ts'
import type { Damage } from './invariants.ts'
import type { Query, UserRow } from './read-users.ts'

/** The store of families as far as the journal speaks of it. */
export interface JournalledStore {
  readonly families: ReadonlyMap<string, Family>
  readonly copies: ReadonlyMap<string, UserRecord>
  hasRevokedToken(owner: TokenOwner, jti: string): boolean
}

interface JournalRow {
  readonly id: string
  readonly payload: JournalPayload
}

/** Whether what still counts was applied, and whether the journal has each user's newest change. */
export async function checkJournal(
  query: Query,
  users: ReadonlyMap<string, UserRow>,
  store: JournalledStore,
): Promise<Damage[]> {
  const rows = await query<JournalRow>(
    'SELECT id, payload FROM journal WHERE keep_until IS NULL OR keep_until > now() ORDER BY id',
  )
  const damages = rows.flatMap(({ id, payload }): Damage[] => {
    const detail = describeUnapplied(payload, store)
    return detail ? [{ invariant: 'journal_applied', detail: `entry ${id}: ${detail}` }] : []
  })
  const journalled = new Map<string, number>()
  for (const { payload } of rows) {
    if (payload.kind === 'user') journalled.set(payload.record.userId, payload.record.version)
  }
  for (const { id, version } of users.values()) {
    const held = journalled.get(id)
    if (version > 0 ? held === version : held === undefined) continue
    const detail = `${id}: version ${version}, in the journal ${held}`
    damages.push({ invariant: 'user_journalled', detail })
  }
  return damages
}

/** Undefined where the store has it, or more than that. */
function describeUnapplied(payload: JournalPayload, store: JournalledStore): string | undefined {
  switch (payload.kind) {
    case 'user': {
      const { userId, version } = payload.record
      const held = store.copies.get(userId)?.version
      return held !== undefined && held >= version ? undefined : `${userId} has version ${held}`
    }
    case 'family': {
      const { familyId, clientId, secretHash } = payload.end
      const family = store.families.get(familyId)
      const isMeant =
        family !== undefined &&
        (clientId === undefined || clientId === family.clientId) &&
        (secretHash === undefined || secretHash === family.secretHash)
      return isMeant && !hasEnded(family, store) ? `${familyId} lives` : undefined
    }
    case 'token': {
      const { owner, jti, expiresAtMs } = payload.token
      const isOver = expiresAtMs <= Date.now()
      return isOver || store.hasRevokedToken(owner, jti) ? undefined : `the token ${jti} is good`
    }
    case 'created': {
      const { family, user } = loginOf(payload)
      if (store.families.has(family.familyId)) return undefined
      // A login that was overtaken by a change of its user makes no family.
      const copy = store.copies.get(user.userId)
      const isOvertaken = copy !== undefined && copy.version > user.version
      return isOvertaken ? undefined : `the login ${family.familyId} has no family`
    }
  }
}

/** By an act, by time, or by an epoch that does not keep it. */
function hasEnded(family: Family, { copies }: JournalledStore): boolean {
  const copy = copies.get(family.userId)
  return (
    family.ended !== undefined ||
    family.idleExpiresAtMs <= Date.now() ||
    (copy !== undefined && copy.epoch > family.epoch)
  )
}
