// The sessions of one user as one list: those that may live, and the newest of those that have
// ended (docs/semantics.md §3). Only what is shown is read, however many sessions a user had.

import type { Client, ClientId } from '../clients/client.ts'
import { type Page, type PageRequest, takePage } from '../database/keyset-page.ts'
import type { Families } from '../families/families.ts'
import type { Family, FamilyId } from '../families/family.ts'
import { compareAge, ENDED_LISTED_MAX, type FamilyKey } from '../families/family-index.ts'
import type { Clock } from '../runtime/clock.ts'
import type { UserId } from '../users/user.ts'
import { type SessionView, toSessionView } from './session-view.ts'

export interface SessionListDependencies {
  readonly families: Pick<Families, 'index' | 'read'>
  readonly findClient: (clientId: ClientId) => Promise<Client | undefined>
  readonly clock: Clock
}

export interface SessionQuery {
  readonly status?: SessionView['status'] | undefined
  readonly page: PageRequest
  /** The session that asks; undefined for an administrator. */
  readonly currentFamilyId?: FamilyId | undefined
}

/** Oldest first. */
export async function listSessions(
  userId: UserId,
  query: SessionQuery,
  { families, findClient, clock }: SessionListDependencies,
): Promise<Page<SessionView>> {
  const { user, live, ended } = await families.index(userId)
  const nowMs = clock()
  const { currentFamilyId } = query
  const toJson = async (family: Family) =>
    toSessionView(family, {
      user,
      client: await findClient(family.clientId),
      nowMs,
      currentFamilyId,
    })

  const rows: Row[] = [
    ...ended.map((key) => ({ ...key, status: 'ended' as const })),
    ...(await Promise.all(
      live.map(async (family) => {
        const session = await toJson(family)
        return { ...family, session, status: session.status }
      }),
    )),
  ].sort(compareAge)
  const shown = takePage(choose(rows, query.status), query.page, ({ createdAtMs, familyId }) => ({
    at: new Date(createdAtMs),
    id: familyId,
  }))
  const unread = shown.items.filter(({ session }) => session === undefined)
  const read = await families.read(
    userId,
    unread.map(({ familyId }) => familyId),
  )
  const sessions = new Map<string, SessionView>()
  for (const family of read) sessions.set(family.familyId, await toJson(family))
  const found = shown.items.map(({ familyId, session }) => session ?? sessions.get(familyId))
  return { ...shown, items: found.filter((session) => session !== undefined) }
}

interface Row extends FamilyKey {
  readonly status: SessionView['status']
  /** Undefined for those that are not read yet. */
  readonly session?: SessionView
}

function choose(rows: readonly Row[], status: SessionView['status'] | undefined): Row[] {
  // Live families that turn out to be over count among the newest ENDED_LISTED_MAX too, and may push
  // out some that the store listed.
  const listed = rows.filter((row) => row.status === 'ended').slice(-ENDED_LISTED_MAX)
  const oldest = listed.length < ENDED_LISTED_MAX ? undefined : listed[0]
  return rows
    .filter((row) => row.status === 'active' || !oldest || compareAge(row, oldest) >= 0)
    .filter((row) => status === undefined || row.status === status)
}
