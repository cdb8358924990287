// A dead server: every method rejects with DependencyUnavailable within its deadline, answers
// nothing from a guess, and works again by itself when the server is back (docs/semantics.md §12).

import { setTimeout as sleep } from 'node:timers/promises'
import type { Test } from 'tap'
import type { FamilyStore } from '../../src/families/family-store.ts'
import { DEPENDENCY_DEADLINE_MS } from '../../src/runtime/deadline.ts'
import { DependencyUnavailable } from '../../src/runtime/dependency-unavailable.ts'
import { inOwnTime } from '../support/own-time.ts'
import {
  ABSOLUTE_MS,
  ending,
  logIn,
  newLogin,
  newUser,
  nextEpoch,
  type OpenFamilyBench,
  rotateOn,
  rotation,
  T0,
} from './family-bench.ts'

/** The deadline, and what a method may do besides; far below any default of a driver. */
const PATIENCE_MS = 2 * DEPENDENCY_DEADLINE_MS
/** Only so that a failure is told. */
const RETURN_MS = 60_000

export async function runOutageCases(t: Test, open: OpenFamilyBench): Promise<void> {
  const bench = await open(t)
  const { store } = bench

  const outages: [string, () => Promise<void> | void][] = [
    ['gone', () => bench.cut()],
    ['silent', () => bench.hang()],
  ]
  for (const [what, begin] of outages) {
    t.test(`a server that is ${what}: every method says so in time, then recovers`, async (t) => {
      t.teardown(() => bench.heal())
      const user = newUser()
      const family = await logIn(store, user)
      const owner = { userId: user.userId }
      const calls: Record<string, () => Promise<unknown>> = {
        create: () => store.create(newLogin(user)),
        rotate: () => store.rotate(rotation(family)),
        end: () => store.end(ending(family)),
        putUser: () => store.putUser(nextEpoch(user)),
        revokeToken: () =>
          store.revokeToken({ owner, jti: 'x', expiresAtMs: T0 + ABSOLUTE_MS }, T0),
        inspect: () => store.inspect({ owner, familyId: family.familyId, jti: 'x' }),
        index: () => store.index(user.userId),
        ping: () => store.ping(),
      }
      await begin()
      // The second round meets connections that are already known to be dead.
      for (const round of ['at once', 'later']) {
        const answers = Object.entries(calls).map(async ([method, call]) => {
          const refused = call().then(
            (answer) => new Error(`answered ${JSON.stringify(answer)}`),
            (rejection: unknown) => rejection,
          )
          const error = await inOwnTime(`${method} ${round}`, refused, PATIENCE_MS)
          t.ok(error instanceof DependencyUnavailable, `${method} ${round}: ${String(error)}`)
          t.equal((error as DependencyUnavailable).dependency, store.name)
          for (const secret of [family.secretHash, family.familyId, user.userId]) {
            t.notMatch(String(error), secret, 'tells no argument')
          }
        })
        await Promise.all(answers)
      }
      await bench.heal()
      await waitUntilUp(store)
      t.equal((await rotateOn(store, await logIn(store))).generation, 1)
      // `end` was refused, not done: whether it arrived nobody knows, but never half of it.
      t.match(await store.end(ending(family)), /^(already_)?ended$/)
    })
  }
}

/** Resolves when the store takes commands again; rejects when it does not come back. */
export async function waitUntilUp(store: FamilyStore): Promise<void> {
  const giveUpAt = performance.now() + RETURN_MS
  for (;;) {
    try {
      await store.ping()
      return
    } catch (error) {
      if (performance.now() > giveUpAt) throw error
      await sleep(50)
    }
  }
}
