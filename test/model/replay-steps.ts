// The journal is applied to the server: before its gate opens, and by the poll afterwards. What is read stays
// as it was read, whatever is journalled meanwhile.

import { CLOSED } from './fault-steps.ts'
import type { Machine } from './machine.ts'
import { REPLAY, type State } from './state.ts'
import { type Taken, take } from './step.ts'

const SESSIONS = [0, 1] as const

export function replaySteps(machine: Machine, state: State): Taken[] {
  if (state.replay === REPLAY.apply) return [apply(machine, state)]
  if (state.isEmptiedUnseen) {
    const after = { ...state, ...CLOSED, isEmptiedUnseen: 0 }
    return [take(after, 'the poll finds no mark, and closes the gate')]
  }
  return read(machine, state)
}

/** What the server's own mark does not cover. */
function read({ table, variant }: Machine, state: State): Taken[] {
  const { entries, user } = table.get(state.store)
  const replayEntries = state.journal & ~entries
  const replayUser = state.journalUser > user ? state.journalUser : 0
  if (state.isGateOpen && !replayEntries && !replayUser) return []
  const store = variant.marksLast
    ? state.store
    : table.raise(state.store, replayEntries, replayUser)
  const isGateOpen = variant.opensGateLast ? state.isGateOpen : 1
  const after = { ...state, store, isGateOpen, replay: REPLAY.apply, replayEntries, replayUser }
  return [
    take(
      after,
      state.isGateOpen ? 'the poll reads the journal' : 'the journal is read for the gate',
    ),
  ]
}

/** Logins, then the user's newest record, then ends: as they were written, or in an order that is as good. */
function apply({ table, variant }: Machine, state: State): Taken {
  const { replayEntries, replayUser, clients } = state
  let { store } = state
  for (const session of SESSIONS) {
    const isLogin = replayEntries & (1 << session)
    if (isLogin) store = table.create(store, session, clients[session].record).after
  }
  if (replayUser) store = table.put(store, replayUser)
  for (const session of SESSIONS) {
    if (replayEntries & (4 << session)) store = table.end(store, session)
  }
  if (variant.marksLast) store = table.raise(store, replayEntries, replayUser)
  const after = { ...state, ...CLOSED, store, isGateOpen: 1 }
  return take(after, state.isGateOpen ? 'the poll applies it' : 'it is applied, and the gate opens')
}
