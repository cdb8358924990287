// Bugs that services like this one have had, this one among them: each is one thing that the machine does
// otherwise, the space in which that is found, and the invariant that finds it.

import type { Bounds } from './machine.ts'
import { BARE } from './spaces.ts'
import { RULES, type Rule } from './step.ts'
import type { StoreRules } from './stores.ts'
import {
  createFamily,
  endFamily,
  findFamily,
  putUser,
  rotateFamily,
  type UserFamilies,
} from './user-families.ts'
import { AS_BUILT, type Variant } from './variant.ts'

export interface PlantedBug {
  readonly name: string
  readonly variant: Variant
  readonly bounds: Bounds
  readonly breaks: Rule
}

type Choice = Partial<Omit<Variant, 'rules'>> & { readonly rules?: Partial<StoreRules> }

function plant(
  name: string,
  breaks: Rule,
  choice: Choice,
  bounds: Partial<Bounds> = {},
): PlantedBug {
  const rules = { ...AS_BUILT.rules, ...choice.rules }
  const quiet = { ...BARE, failovers: 0, restarts: 0 } as const
  return {
    name,
    breaks,
    variant: { ...AS_BUILT, ...choice, rules },
    bounds: { ...quiet, ...bounds },
  }
}

const without = (before: UserFamilies, familyId: string): UserFamilies => ({
  ...before,
  families: before.families.filter((family) => family.familyId !== familyId),
})

const graceWithoutTime: StoreRules['rotate'] = (before, request) =>
  rotateFamily(before, { ...request, graceMs: Number.MAX_SAFE_INTEGER })

const retryMovesOn: StoreRules['rotate'] = (before, request) => {
  const step = rotateFamily(before, request)
  if (step.answer.outcome !== 'retried') return step
  return rotateFamily(before, { ...request, generation: request.generation + 1 })
}

const aheadIsRefused: StoreRules['rotate'] = (before, request) => {
  const family = findFamily(before, request.familyId)
  if (!family || request.generation <= family.generation) return rotateFamily(before, request)
  return { answer: { outcome: 'inactive', reason: 'family_ended' }, after: before }
}

const replayEndsNothing: StoreRules['rotate'] = (before, request) => {
  const step = rotateFamily(before, request)
  if (step.answer.outcome !== 'replayed') return step
  return { answer: { outcome: 'inactive', reason: 'family_ended' }, after: before }
}

const deleteOnRevoke: StoreRules['end'] = (before, input) => {
  const { answer } = endFamily(before, input)
  return { answer, after: without(before, input.familyId) }
}

const unknownIsForgotten: StoreRules['end'] = (before, input) => {
  const { answer, after } = endFamily(before, input)
  return { answer, after: answer === 'unknown' ? before : after }
}

const olderOverwrites: StoreRules['putUser'] = (before, record) => ({
  ...putUser(before, record),
  copy: record,
})

const loginOverwrites: StoreRules['create'] = (before, input) =>
  createFamily(without(before, input.family.familyId), input)

/** In the order in which a reader meets their subjects in docs/semantics.md. */
export const PLANTED_BUGS: readonly PlantedBug[] = [
  plant('find, then update', RULES.ended, { rotatesAtOnce: false }, { revocations: 1 }),
  plant(
    'grace without time',
    RULES.theft,
    { rules: { rotate: graceWithoutTime } },
    { hasThief: true },
  ),
  plant('a retry moves on', RULES.successor, { rules: { rotate: retryMovesOn } }),
  plant(
    'a replay is refused, and ends nothing',
    RULES.theft,
    { rules: { rotate: replayEndsNothing } },
    { hasThief: true },
  ),
  plant(
    'a token ahead of the store is refused',
    RULES.healed,
    { rules: { rotate: aheadIsRefused } },
    { failovers: 1 },
  ),
  plant('late commands are carried out', RULES.alarm, { dropsLateCommands: false }),
  plant(
    'delete on revoke',
    RULES.ended,
    { rules: { end: deleteOnRevoke } },
    { revocations: 1, failovers: 1 },
  ),
  plant(
    'an older record overwrites',
    RULES.ended,
    { rules: { putUser: olderOverwrites } },
    { changes: 2, changeKinds: ['logOutAll', 'allBut0'] },
  ),
  plant(
    'a login joins the epoch of now',
    RULES.ended,
    { joinsEpochAsRead: false },
    { clients: 2, changes: 1, changeKinds: ['logOutAll'] },
  ),
  plant(
    'the kept family stands beside the record',
    RULES.healed,
    { keepsFamilyInRecord: false },
    { changes: 1, changeKinds: ['allBut0'], failovers: 1 },
  ),
  plant(
    'the epoch before the journal',
    RULES.ended,
    { journalsFirst: false },
    { changes: 1, changeKinds: ['logOutAll'], failovers: 1 },
  ),
  plant(
    'the gate opens early',
    RULES.ended,
    { opensGateLast: false },
    { revocations: 1, failovers: 1 },
  ),
  plant('a guess while the gate is closed', RULES.healed, { waitsForGate: false }, { restarts: 1 }),
  plant(
    'the mark before the entries',
    RULES.ended,
    { marksLast: false },
    { revocations: 1, failovers: 1 },
  ),
  plant(
    'a login applied again overwrites',
    RULES.ended,
    { rules: { create: loginOverwrites } },
    { clients: 2, revocations: 1 },
  ),
  plant(
    'an end leaves the login in the journal',
    RULES.ended,
    { deletesLogin: false },
    { revocations: 1, restarts: 1 },
  ),
  plant(
    'a repetition is not journalled',
    RULES.ended,
    { journalsRepetition: false },
    { revocations: 2, failovers: 1 },
  ),
  plant(
    'a repetition is journalled alone',
    RULES.ended,
    { appliesRepetition: false },
    { revocations: 2, restarts: 1 },
  ),
  plant(
    'an unknown session is not ended',
    RULES.ended,
    { endsUnknown: false },
    { hasThief: true, revocations: 1, restarts: 1 },
  ),
  plant(
    'an end of an unknown session is forgotten',
    RULES.ended,
    { rules: { end: unknownIsForgotten } },
    { revocations: 1, restarts: 1 },
  ),
]
