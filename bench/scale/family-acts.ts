// What is done to families in the questions of scale, alike on every store: logins, refreshes, lists
// and revocations, in a population whose other members do nothing.

import type { Family } from '../../src/families/family.ts'
import type { FamilyStore } from '../../src/families/family-store.ts'
import { DependencyUnavailable } from '../../src/runtime/dependency-unavailable.ts'
import type { UserRecord } from '../../src/users/user.ts'
import { ending, logIn, newLogin, newUser, rotateOn, T0 } from '../../test/contract/family-bench.ts'
import { USER_AGENT } from '../load/http-connection.ts'
import { forEachOf, upTo } from './many.ts'

const ATTEMPTS = 10
const ABOUT = { userAgent: USER_AGENT }

export interface Member {
  readonly user: UserRecord
  family: Family
}

/**
 * A login that is sent again when a busy machine lets it run into its deadline: it is the same family,
 * so that nothing is made twice.
 */
export async function logInSurely(
  store: FamilyStore,
  user: UserRecord,
  nowMs = T0,
): Promise<Family> {
  const login = newLogin(user, ABOUT, nowMs)
  for (let attempt = 1; ; attempt += 1) {
    try {
      const answer = await store.create(login)
      if (answer.outcome === 'created') return answer.family
      throw new Error(`login answered ${answer.outcome}`)
    } catch (error) {
      if (!(error instanceof DependencyUnavailable) || attempt === ATTEMPTS) throw error
    }
  }
}

/** Users with one session each, through the store. Only the first `kept` are remembered. */
export async function populate(
  store: FamilyStore,
  { count, kept, atOnce }: { count: number; kept: number; atOnce: number },
): Promise<Member[]> {
  const makeMember = async (index: number) => {
    const user = newUser()
    const family = await logInSurely(store, user)
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
