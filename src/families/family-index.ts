// What a list of a user's sessions is made from: the families that may live, and where the newest of the
// others stand.

import type { UserRecord } from '../users/user.ts'
import type { Family } from './family.ts'

/** The most ended families of one user that are listed; older ones are still known by their id. */
export const ENDED_LISTED_MAX = 200

/** Where a family stands in a list, which is ordered by age. */
export type FamilyKey = Pick<Family, 'familyId' | 'createdAtMs'>

/** The families of one user that a list may show. */
export interface FamilyIndex {
  /** Undefined when the store holds no copy. */
  readonly user: UserRecord | undefined
  /**
   * At most LIVE_FAMILIES_MAX for each client, oldest first. Some may be dead by time or by the
   * user's epoch: nobody has noticed them yet.
   */
  readonly live: readonly Family[]
  /** The newest ENDED_LISTED_MAX of all others, oldest first. */
  readonly ended: readonly FamilyKey[]
}

/** The order of lists: by age, then by id. */
export function compareAge(one: FamilyKey, other: FamilyKey): number {
  return (
    one.createdAtMs - other.createdAtMs ||
    (one.familyId < other.familyId ? -1 : Number(one.familyId > other.familyId))
  )
}
