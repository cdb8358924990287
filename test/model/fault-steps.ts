// What goes wrong: a replica lags and takes over, Redis restarts as it was or empty, or is emptied while
// connections to it live on; and time passes.

import type { Machine } from './machine.ts'
import {
  ATTEMPT,
  CHANGE,
  type ClientState,
  GHOST,
  LOGIN,
  REPLAY,
  REVOKE,
  type State,
} from './state.ts'
import { gaveUp, type Taken, take, withClient } from './step.ts'

const NO_REPLAY = { replay: REPLAY.none, replayEntries: 0, replayUser: 0 } as const
export const CLOSED = { ...NO_REPLAY, isGateOpen: 0 } as const

export function faultSteps(machine: Machine, state: State): Taken[] {
  return [
    ...(state.failoversLeft ? failoverSteps(state) : []),
    ...(state.restartsLeft ? restartSteps(machine, state) : []),
    ...tickSteps(machine, state),
  ]
}

/** Only the last moment counts at which the replica was up to date. */
function failoverSteps(state: State): Taken[] {
  if (!state.replica) {
    const lagging = { ...state, replica: state.store + 1 }
    return [take(lagging, 'the replica has come so far, and lags from now on')]
  }
  const promoted = { store: state.replica - 1, replica: 0, failoversLeft: 0, isEmptiedUnseen: 0 }
  return [
    take({ ...state, ...CLOSED, ...promoted }, 'the replica takes over; what it lacks is lost'),
  ]
}

function restartSteps(machine: Machine, state: State): Taken[] {
  const restarted = { ...state, restartsLeft: 0 }
  const emptied = { store: machine.table.empty, replica: 0 }
  const unseen = { ...restarted, ...emptied, ...NO_REPLAY, isEmptiedUnseen: 1 }
  return [
    take({ ...restarted, ...CLOSED }, 'Redis restarts with all that it had'),
    take({ ...restarted, ...CLOSED, ...emptied }, 'Redis restarts empty'),
    take(withoutCalls(machine, unseen), 'Redis is emptied while connections to it live on'),
  ]
}

/** Whoever was not answered repeats before. */
function tickSteps(machine: Machine, state: State): Taken[] {
  if (state.clients.some(({ attempt, isUnanswered }) => attempt || isUnanswered)) return []
  const { table } = machine
  const store = table.tick(state.store)
  const replica = state.replica && table.tick(state.replica - 1) + 1
  return [take(withoutCalls(machine, { ...state, store, replica }), 'the grace passes')]
}

/** No call lives so long. */
function withoutCalls({ variant }: Machine, state: State): State {
  const changes = state.changes.map((change) =>
    change.at === CHANGE.put ? { at: CHANGE.over, record: 0 } : change,
  ) as [State['changes'][0], State['changes'][1]]
  const after: State = { ...state, revoke: REVOKE.none, revokeOf: 0, changes }
  return ([0, 1] as const).reduce<State>((left, session) => {
    const client = left.clients[session]
    return withClient(left, session, callsOver(client, variant.dropsLateCommands))
  }, after)
}

function callsOver(client: ClientState, dropsLate: boolean): Partial<ClientState> {
  const { login, attempt, isUnanswered } = client
  const ghost = dropsLate ? GHOST.none : client.ghost
  const isLoggingIn = login === LOGIN.read || login === LOGIN.journalled
  if (isLoggingIn || login === LOGIN.over) return { ...gaveUp({ ...client, ghost }), ghost }
  return { attempt: ATTEMPT.none, attemptRead: 0, isUnanswered: attempt ? 1 : isUnanswered, ghost }
}
