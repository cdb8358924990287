// The machine: clients, a thief, the calls under way at the instances, a Redis with a replica that lags, the
// journal, the gate and time. Each of its steps is atomic in the real service too, and every order of them is
// run. What it leaves out: docs/adr/0037-an-executable-model.md.

import { changeSteps } from './change-steps.ts'
import { clientSteps } from './client-steps.ts'
import { revokeSteps } from './ending-steps.ts'
import { faultSteps } from './fault-steps.ts'
import { replaySteps } from './replay-steps.ts'
import { openServerTable, type ServerTable } from './server-table.ts'
import { ATTEMPT, type ClientState, GHOST, LOGIN, type State, THIEF_GONE } from './state.ts'
import type { Taken } from './step.ts'
import { type Change, openRecords, type Records } from './stores.ts'
import { thiefSteps } from './thief-steps.ts'
import type { Variant } from './variant.ts'

/** How much may happen: the size of the space. */
export interface Bounds {
  readonly clients: 1 | 2
  /** How many generations of refresh tokens there are of each session. */
  readonly generations: number
  readonly hasThief: boolean
  readonly revocations: number
  /** How many changes of the user there may be, and which. */
  readonly changes: 0 | 1 | 2
  readonly changeKinds: readonly Change[]
  readonly failovers: 0 | 1
  readonly restarts: 0 | 1
}

export interface Machine {
  readonly bounds: Bounds
  readonly variant: Variant
  readonly records: Records
  readonly table: ServerTable
}

export function openMachine(bounds: Bounds, variant: Variant): Machine {
  const records = openRecords(variant.keepsFamilyInRecord)
  return { bounds, variant, records, table: openServerTable(variant.rules, records) }
}

/** Client 0 is logged in, and the journal has been applied so far. */
export function firstState({ bounds, table }: Machine): State {
  const change = { at: 0, record: 0 }
  return {
    store: table.first,
    isGateOpen: 1,
    replay: 0,
    replayEntries: 0,
    replayUser: 0,
    replica: 0,
    truth: 0,
    journalUser: 0,
    journal: 1,
    thief: bounds.hasThief ? 0 : THIEF_GONE,
    wasServedThief: 0,
    revoke: 0,
    revokeOf: 0,
    revokesLeft: bounds.revocations,
    failoversLeft: bounds.failovers,
    restartsLeft: bounds.restarts,
    isEmptiedUnseen: 0,
    clients: [client(LOGIN.in), client(bounds.clients === 2 ? LOGIN.out : LOGIN.over)],
    changes: [change, change],
  }
}

function client(login: number): ClientState {
  return {
    login,
    record: 0,
    generation: 0,
    attempt: ATTEMPT.none,
    attemptRead: 0,
    ghost: GHOST.none,
    isUnanswered: 0,
    isAcknowledged: 0,
    isEndBegun: 0,
    isReplayUnjournalled: 0,
  }
}

/** Every step that can be taken. */
export function stepsFrom(machine: Machine, state: State): Taken[] {
  return [
    ...clientSteps(machine, state, 0),
    ...clientSteps(machine, state, 1),
    ...thiefSteps(machine, state),
    ...revokeSteps(machine, state),
    ...changeSteps(machine, state),
    ...replaySteps(machine, state),
    ...faultSteps(machine, state),
  ]
}
