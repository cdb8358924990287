// What is done to families in the questions of scale, alike on every store: logins, refreshes, lists
// and revocations, in a population whose other members do nothing.

import type { Family, FamilyStore } from '../../src/families/family.ts'
import type { UserRecord } from '../../src/users/user.ts'
import { ending, logIn, newUser, rotateOn, T0 } from '../../test/contract/family-bench.ts'
import { forEachOf, upTo } from './many.ts'

/** That of a browser, which is longer than any other. */
export const USER_AGENT =
  'Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/141.0.0.0 Safari/537.36'
const ABOUT = { userAgent: USER_AGENT }

export interface Member {
  readonly user: UserRecord
  family: Family
}

/** Users with one session each, through the store. Only the first `kept` are remembered. */
export async function populate(
  store: FamilyStore,
  { count, kept, atOnce }: { count: number; kept: number; atOnce: number },
): Promise<Member[]> {
  const makeMember = async (index: number) => {
    const user = newUser()
    const family = await logIn(store, user, ABOUT)
    return index < kept ? { user, family } : undefined
  }
  const members = await forEachOf(upTo(count), makeMember, atOnce)
  return members.filter((member) => member !== undefined)
}

/** Each act goes once over all members. */
export function actsOn(store: FamilyStore, members: readonly Member[], atOnce: number) {
  let made: Family[] = []
  return {
    refresh: () =>
      forEachOf(
        members,
        async (member) => {
          member.family = await rotateOn(store, member.family, ABOUT)
        },
        atOnce,
      ),
    list: () => forEachOf(members, ({ user }) => store.index(user.userId), atOnce),
    login: async () => {
      made = await forEachOf(members, ({ user }) => logIn(store, user, ABOUT, T0 + 1), atOnce)
    },
    /** Of what the logins before it have made. */
    revoke: () => forEachOf(made, (family) => store.end(ending(family)), atOnce),
  }
}

export type FamilyActs = ReturnType<typeof actsOn>
