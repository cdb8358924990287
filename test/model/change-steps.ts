// Changes of the user: logged out everywhere, disabled, all but this one. The record and its entry in the
// journal are one transaction; then the store is told; then the change is acknowledged.

import type { Machine } from './machine.ts'
import { CHANGE, LOGIN, type Session, type State } from './state.ts'
import { type Taken, take, withClient } from './step.ts'
import type { Change } from './stores.ts'

const SESSIONS = [0, 1] as const

export function changeSteps(machine: Machine, state: State): Taken[] {
  const steps: Taken[] = []
  for (const index of SESSIONS) {
    if (index >= machine.bounds.changes) break
    const { at } = state.changes[index]
    if (at !== CHANGE.none) steps.push(...goOnChanging(machine, state, index))
    // The second begins after the first: which of them is called so makes no difference.
    else if (index === 0 || state.changes[0].at !== CHANGE.none) {
      steps.push(
        ...machine.bounds.changeKinds.flatMap((kind) => commit(machine, state, index, kind)),
      )
    }
  }
  return steps
}

const MADE_BY: Readonly<Record<Change, Session | undefined>> = {
  logOutAll: undefined,
  disable: undefined,
  allBut0: 0,
  allBut1: 1,
}

function commit(machine: Machine, state: State, index: Session, kind: Change): Taken[] {
  const { records, variant, table } = machine
  const by = MADE_BY[kind]
  if (by !== undefined) {
    const isIn = state.isGateOpen && state.clients[by].login === LOGIN.in
    if (!isIn || table.look(state.store, by) !== 'alive') return []
  }
  const record = records.next(state.truth, kind)
  if (record === undefined) return []
  const journalUser = variant.journalsFirst ? record : state.journalUser
  const changed = { at: CHANGE.put, record }
  const committed = withChange({ ...state, truth: record, journalUser }, index, changed)
  const after = endedBy(machine, state, record).reduce<State>(
    (so, session) =>
      so.clients[session].login !== LOGIN.over ? withClient(so, session, { isEndBegun: 1 }) : so,
    committed,
  )
  return [take(after, 'the change {} is committed', [kind])]
}

const OVER = { at: CHANGE.over, record: 0 }

function goOnChanging(machine: Machine, state: State, index: Session): Taken[] {
  const { table, records, variant } = machine
  const { at, record } = state.changes[index]
  if (at === CHANGE.journalAfterwards) {
    return [
      take(withChange({ ...state, journalUser: record }, index, OVER), 'the change is journalled'),
    ]
  }
  if (at !== CHANGE.put || !state.isGateOpen) return []
  let store = table.put(state.store, record)
  const kept = records.keptBy(record)
  if (!variant.keepsFamilyInRecord && kept !== undefined) {
    store = table.stamp(store, kept, records.get(record).epoch)
  }
  const acknowledged = endedBy(machine, state, record).reduce<State>(
    (so, session) => withClient(so, session, { isAcknowledged: 1 }),
    { ...state, store },
  )
  const after = variant.journalsFirst
    ? withChange(acknowledged, index, OVER)
    : withChange(acknowledged, index, { at: CHANGE.journalAfterwards, record })
  return [take(after, 'the change is put, and acknowledged')]
}

/** The sessions whose login has read an older record, and which the newer one does not keep. */
function endedBy({ records }: Machine, state: State, record: number): Session[] {
  return SESSIONS.filter((session) => {
    const { login, record: read } = state.clients[session]
    return login !== LOGIN.out && records.isPassed(session, read, record)
  })
}

function withChange(state: State, index: Session, change: State['changes'][0]): State {
  const [first, second] = state.changes
  return { ...state, changes: index === 0 ? [change, second] : [first, change] }
}
