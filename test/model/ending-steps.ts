// A revocation, by the steps of src/families/family-ending.ts. Its acknowledgement is delivered with the last
// of them; one that dies on the way is not acknowledged, and may be repeated.

import type { Machine } from './machine.ts'
import { ENTRY, LOGIN, REVOKE, type Session, type State } from './state.ts'
import { journalEnd, type Taken, take, withClient } from './step.ts'

export function revokeSteps(machine: Machine, state: State): Taken[] {
  const { revoke, revokeOf: session, revokesLeft } = state
  if (revoke === REVOKE.none) {
    if (revokesLeft === 0) return []
    return ([0, 1] as const).flatMap((of) => beginRevoke(machine, state, of))
  }
  const steps = goOn(machine, state)
  if (revokesLeft > 0) {
    const dead = { ...state, revoke: REVOKE.none, revokeOf: 0 as const }
    steps.push(take(dead, 'the revocation of {} dies', [session]))
  }
  return steps
}

function goOn(machine: Machine, state: State): Taken[] {
  const { revoke, revokeOf: session } = state
  const values = [session]
  switch (revoke) {
    case REVOKE.journalOnly: {
      const after = acknowledge(journalEnd(machine, state, session), session)
      return [take(after, 'the end of {} is journalled, and acknowledged', values)]
    }
    case REVOKE.journalThenEnd: {
      const journalled = { ...journalEnd(machine, state, session), revoke: REVOKE.end }
      const failed = { ...state, revoke: REVOKE.endUnjournalled }
      return [
        take(journalled, 'the end of {} is journalled', values),
        take(failed, 'PostgreSQL does not take the end of {}', values),
      ]
    }
    case REVOKE.end: {
      if (!state.isGateOpen) return []
      const ended = { ...state, store: machine.table.end(state.store, session) }
      return [
        take(acknowledge(ended, session), 'the end of {} is applied, and acknowledged', values),
      ]
    }
    default: {
      if (!state.isGateOpen) return []
      const store = machine.table.end(state.store, session)
      const after = { ...state, store, revoke: REVOKE.none, revokeOf: 0 as const }
      return [take(after, 'the end of {} is applied, and answered 503', values)]
    }
  }
}

/** The store is looked at first. */
function beginRevoke({ table, variant }: Machine, before: State, session: Session): Taken[] {
  if (before.clients[session].login !== LOGIN.in) return []
  const revokesLeft = before.revokesLeft - 1
  const state = withClient({ ...before, revokesLeft, revokeOf: session }, session, {
    isEndBegun: 1,
  })
  if (!state.isGateOpen) {
    const after = { ...state, revoke: REVOKE.journalThenEnd }
    return [take(after, 'somebody revokes {}, and the gate is closed', [session])]
  }
  let { store } = state
  let look = table.look(store, session)
  if (look === 'unknown' && state.journal & ENTRY.login(session)) {
    const put = table.put(store, state.truth)
    store = table.create(put, session, state.clients[session].record).after
    look = table.look(store, session)
  }
  const words = 'somebody revokes {}: it is {}'
  const to = (revoke: number) => [take({ ...state, store, revoke }, words, [session, look])]
  if (look === 'alive' || look === 'stale') return to(REVOKE.journalThenEnd)
  if (look === 'unknown' && variant.endsUnknown) return to(REVOKE.end)
  if (look === 'ended' && variant.journalsRepetition) {
    return to(variant.appliesRepetition ? REVOKE.journalThenEnd : REVOKE.journalOnly)
  }
  return [
    take(acknowledge({ ...state, store }, session), `${words}, and acknowledged`, [session, look]),
  ]
}

/** Whoever asked is told that the session is over. */
function acknowledge(state: State, session: Session): State {
  const over = { ...state, revoke: REVOKE.none, revokeOf: 0 as const }
  return withClient(over, session, { isAcknowledged: 1 })
}
