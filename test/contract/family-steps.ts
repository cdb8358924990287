// The steps that a random history of the property test is made of.

import fc from 'fast-check'
import { AUDIENCE, GRACE_MS, IDLE_MS, SCOPE } from './family-bench.ts'

export const ABSOLUTE_MS = 3 * IDLE_MS

/** Every number picks modulo what is there, so that a shrunk history stays a history. */
const pick = fc.nat({ max: 7 })
/** A committed change whose instance died before it told the store. */
const isLost = fc.nat({ max: 3 }).map((number) => number === 0)
export const step = fc.oneof(
  { weight: 3, arbitrary: fc.record({ kind: fc.constant('create'), pick, client: pick }) },
  {
    weight: 1,
    arbitrary: fc.record({ kind: fc.constant('createWithOldRecord'), pick, old: pick }),
  },
  { weight: 8, arbitrary: fc.record({ kind: fc.constant('use'), pick }) },
  {
    weight: 5,
    arbitrary: fc.record({
      kind: fc.constant('present'),
      pick,
      lead: fc.integer({ min: -3, max: 2 }),
    }),
  },
  {
    weight: 3,
    arbitrary: fc.record({
      kind: fc.constant('ask'),
      pick,
      lead: fc.integer({ min: -2, max: 0 }),
      scope: fc.option(fc.subarray([...SCOPE, 'orders:write'], { minLength: 1 }), {
        nil: undefined,
      }),
      audience: fc.option(fc.subarray([...AUDIENCE, 'https://x.example'], { minLength: 1 }), {
        nil: undefined,
      }),
      clientScopes: fc.subarray([...SCOPE]),
      clientAudiences: fc.subarray([...AUDIENCE]),
      graceMs: fc.constantFrom(0, 1, GRACE_MS),
      idleTtlMs: fc.constantFrom(1_000, IDLE_MS, 10 * ABSOLUTE_MS),
    }),
  },
  {
    weight: 4,
    arbitrary: fc.record({
      kind: fc.constant('keep'),
      pick,
      lead: fc.integer({ min: -2, max: 1 }),
      rotateAfterMs: fc.constantFrom(0, 1_000, 2 * GRACE_MS),
      neverRotates: fc.constantFrom('none', 'bound', 'all'),
      idleTtlMs: fc.constantFrom(1_000, IDLE_MS),
    }),
  },
  {
    weight: 2,
    arbitrary: fc.record({
      kind: fc.constant('forge'),
      pick,
      lead: fc.integer({ min: -3, max: 2 }),
      wrong: fc.constantFrom('client', 'secret', 'user', 'key'),
    }),
  },
  {
    weight: 2,
    arbitrary: fc.record({
      kind: fc.constant('end'),
      pick,
      by: fc.constantFrom('anyone', 'client', 'stranger', 'forger'),
    }),
  },
  {
    weight: 2,
    arbitrary: fc.record({
      kind: fc.constant('moveUser'),
      pick,
      how: fc.constantFrom('logout', 'password', 'disable', 'enable', 'promote', 'demote'),
      isLost,
    }),
  },
  {
    weight: 2,
    arbitrary: fc.record({ kind: fc.constant('allButThis'), pick, keep: pick, isLost }),
  },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('applyAgain'), pick, old: pick }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('forgetUser'), pick }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('endClientSessions'), pick }) },
  {
    weight: 5,
    arbitrary: fc.record({
      kind: fc.constant('clock'),
      byMs: fc.constantFrom(
        ...[1, 999, 1_000, GRACE_MS - 1, GRACE_MS, IDLE_MS - 1, IDLE_MS, ABSOLUTE_MS - IDLE_MS],
        ...[-1, -700, -2 * GRACE_MS],
      ),
    }),
  },
)
type StepOf<Arbitrary> = Arbitrary extends fc.Arbitrary<infer Value> ? Value : never
export type Step = StepOf<typeof step>
