// Families that the store does not know though their tokens were minted here: a failover has lost
// the login. The journal has it for a while, and the family is made again from that. Rotations
// since then are made up for by the tokens, which are ahead of the store; ends since then are in
// the journal too.

import type { UserId } from '../users/user.ts'
import type { FamilyId } from './family.ts'
import type { FamilyStore } from './family-store.ts'
import type { Journal } from './journal.ts'

/** For how long a family is not looked for again that the journal does not know either. */
const MISS_KEPT_MS = 60_000
const MISSES_MAX = 10_000

/**
 * Gives the call that makes a family again: whether it is in the store now. It rejects with
 * DependencyUnavailable.
 */
export function openLostFamilies(
  store: Pick<FamilyStore, 'name' | 'create'>,
  journal: Pick<Journal, 'findLogin'>,
  reloadUser: (userId: UserId) => Promise<void>,
): (familyId: FamilyId) => Promise<boolean> {
  /** Until when, by the monotonic clock, the answer is known to be no. */
  const misses = new Map<FamilyId, number>()

  return async function restore(familyId) {
    // In PostgreSQL the journal is in the same database: it cannot have what the families have
    // lost.
    if (store.name === 'postgresql') return false
    if (performance.now() < (misses.get(familyId) ?? 0)) return false
    const login = await journal.findLogin(familyId)
    if (login) {
      // A store that has lost the family may also have lost a later change of its user.
      await reloadUser(login.user.userId)
      return (await store.create(login)).outcome === 'created'
    }
    if (misses.size >= MISSES_MAX) misses.clear()
    misses.set(familyId, performance.now() + MISS_KEPT_MS)
    return false
  }
}
