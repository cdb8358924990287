// How often something is compared in constant time, counted where the code calls it.

import crypto from 'node:crypto'
import { syncBuiltinESMExports } from 'node:module'
import type { Scope } from './scope.ts'

/** Gives the number of comparisons that `work` has made. For one piece of work at a time. */
export function countComparisons(t: Scope): (work: () => unknown) => Promise<number> {
  const compare = crypto.timingSafeEqual
  let compared = 0
  crypto.timingSafeEqual = (left, right) => {
    compared += 1
    return compare(left, right)
  }
  syncBuiltinESMExports()
  t.teardown(() => {
    crypto.timingSafeEqual = compare
    syncBuiltinESMExports()
  })
  return async (work) => {
    const before = compared
    await work()
    return compared - before
  }
}
