import { test } from 'tap'
import type { FamilyId } from '../../src/families/family.ts'
import {
  type KnownSessions,
  keyOfSessions,
  nobodysSessions,
  possibleSteps,
} from './possible-steps.ts'
import type { UserRequest } from './user-sessions.ts'

const [PHONE, LAPTOP] = ['phone', 'laptop'] as FamilyId[] as [FamilyId, FamilyId]
const GRACE = { graceMs: 100, slackMs: 0 }

/** Each request takes effect at its place in the list, ten milliseconds after the one before. */
function after(...requests: readonly UserRequest[]): KnownSessions {
  return requests.reduce((state, request, index) => {
    const atMs = 10 * index
    const [step] = possibleSteps(state, request, { fromMs: atMs, toMs: atMs }, GRACE)
    if (!step) throw new Error('a step has an outcome')
    return step.after
  }, nobodysSessions('zoe'))
}

function answers(state: KnownSessions, request: UserRequest, fromMs: number, toMs = fromMs) {
  return possibleSteps(state, request, { fromMs, toMs }, GRACE).map(({ answer }) => answer)
}

const logIn = (familyId: FamilyId): UserRequest => ({ kind: 'login', familyId })
const refresh = (familyId: FamilyId, generation: number): UserRequest => ({
  kind: 'refresh',
  familyId,
  generation,
})
const SERVED = (generation: number) => ({ isServed: true, generation })
const REFUSED = { isServed: false }

test('a repetition is the same answer within the grace, theft after it, either where both may be', async (t) => {
  const state = after(logIn(PHONE), refresh(PHONE, 0))
  t.same(answers(state, refresh(PHONE, 0), 109), [SERVED(1)])
  t.same(answers(state, refresh(PHONE, 0), 110), [REFUSED])
  t.same(answers(state, refresh(PHONE, 0), 50, 200), [SERVED(1), REFUSED])
  const [, theft] = possibleSteps(state, refresh(PHONE, 0), { fromMs: 50, toMs: 200 }, GRACE)
  t.same(theft && answers(theft.after, refresh(PHONE, 1), 210), [REFUSED])
})

test('a token from before a lost write is taken, and the family catches up', async (t) => {
  t.same(answers(after(logIn(PHONE)), refresh(PHONE, 4), 20), [SERVED(5)])
})

test('all but this one leaves this one, and a disabled user has none and cannot log in', async (t) => {
  const both = [logIn(PHONE), logIn(LAPTOP)] as const
  const kept = after(...both, { kind: 'logOutOthers', familyId: PHONE })
  t.same(answers(kept, refresh(PHONE, 0), 40), [SERVED(1)])
  t.same(answers(kept, { kind: 'verify', familyId: LAPTOP }, 40), [REFUSED])
  const disabled = after(...both, { kind: 'disable' })
  t.same(answers(disabled, logIn('third' as FamilyId), 40), [REFUSED])
  const enabled = after(...both, { kind: 'disable' }, { kind: 'enable' })
  t.same(answers(enabled, refresh(PHONE, 0), 40), [REFUSED])
  t.same(keyOfSessions(enabled), keyOfSessions(after({ kind: 'enable' })), 'as if never logged in')
})
