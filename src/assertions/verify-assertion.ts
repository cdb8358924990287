// An assertion as a whole: what it says, then by whom.

import type { AssertionReason } from '../oauth/assertion-reason.ts'
import { type AssertionRules, findRefusal } from './assertion-checks.ts'
import { checkSignature } from './check-signature.ts'
import type { ForeignJwt } from './foreign-jwt.ts'
import type { KeySource } from './key-source.ts'

/**
 * Why it is refused; undefined when all of it holds, and then it may be used up. What it says is looked at
 * first, so that nobody's keys are asked for in vain. Never rejects.
 */
export async function verifyAssertion(
  jwt: ForeignJwt,
  rules: AssertionRules,
  source: KeySource,
  nowMs: number,
): Promise<AssertionReason | undefined> {
  return findRefusal(jwt, rules, nowMs) ?? (await checkSignature(jwt, source))
}
