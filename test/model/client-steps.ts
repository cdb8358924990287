// An honest client: it logs in, refreshes, and repeats what was not answered. It begins with a new
// generation only when no older call of its own can be carried out any more, and repeats within the grace.
// A refresh is one step of the store, unless something has to be mended (mending-steps.ts).

import type { Machine } from './machine.ts'
import { mendingSteps } from './mending-steps.ts'
import { ATTEMPT, ENTRY, GHOST, LOGIN, type Session, type State } from './state.ts'
import {
  gaveUp,
  isServed,
  journalEnd,
  RULES,
  type Rule,
  type Taken,
  take,
  withClient,
} from './step.ts'
import type { Rotation } from './stores.ts'

/** Every step of one client and of what it has under way. */
export function clientSteps(machine: Machine, state: State, session: Session): Taken[] {
  const { isReplayUnjournalled, ghost, login, attempt } = state.clients[session]
  const steps: Taken[] = []
  if (isReplayUnjournalled) {
    const after = journalEnd(machine, state, session)
    steps.push(take(after, 'the end of session {} by a replay is journalled', [session]))
  }
  if (ghost && state.isGateOpen) steps.push(ghostStep(machine, state, session))
  if (login === LOGIN.over) return steps
  if (login !== LOGIN.in) steps.push(...loginSteps(machine, state, session))
  else if (attempt) steps.push(...mendingSteps(machine, state, session))
  else steps.push(...refreshSteps(machine, state, session))
  return steps
}

function loginSteps(machine: Machine, state: State, session: Session): Taken[] {
  const { table, records, variant } = machine
  const client = state.clients[session]
  if (client.login === LOGIN.out) {
    if (records.get(state.truth).status !== 'active') return []
    const read = withClient(state, session, { login: LOGIN.read, record: state.truth })
    return [take(read, 'client {} logs in: password and record are read', [session])]
  }
  if (client.login === LOGIN.read) {
    const journalled = withClient(state, session, { login: LOGIN.journalled })
    const after = { ...journalled, journal: state.journal | ENTRY.login(session) }
    return [take(after, 'the login of client {} is journalled', [session])]
  }
  if (!state.isGateOpen) return []
  const record = variant.joinsEpochAsRead ? client.record : state.truth
  const { isCreated, after } = table.create(state.store, session, record)
  const made = { ...state, store: after }
  const over = withClient(made, session, gaveUp(client))
  if (!isCreated)
    return [take(over, 'the login of client {} is refused: the user moved', [session])]
  return [
    take(withClient(made, session, { login: LOGIN.in }), 'client {} is logged in', [session]),
    take(over, 'client {} is logged in, and the answer is lost', [session]),
  ]
}

/** A refresh that its client does not wait for any more. */
function ghostStep(machine: Machine, state: State, session: Session): Taken {
  const client = state.clients[session]
  const generation = client.generation - (client.ghost === GHOST.ofHeld ? 0 : 1)
  const rotation = machine.table.rotate(state.store, session, generation)
  const isOver = client.login === LOGIN.over
  const gone = { ghost: GHOST.none, generation: isOver ? 0 : client.generation }
  const after = withClient({ ...state, store: rotation.after }, session, gone)
  const words = 'a refresh of client {} with generation {}, which it gave up, is carried out: {}'
  const values = [session, generation, rotation.outcome]
  if (rotation.outcome !== 'replayed') {
    return take(after, words, values, findServedAfterEnd(state, session, rotation))
  }
  const end = { isReplayUnjournalled: 1, isEndBegun: isOver ? 0 : 1 }
  return take(withClient(after, session, end), words, values, findFalseAlarm(state, session))
}

function refreshSteps(machine: Machine, state: State, session: Session): Taken[] {
  const { bounds, variant } = machine
  const { isUnanswered, generation, ghost } = state.clients[session]
  if (generation >= bounds.generations - 1) return []
  // Whatever it gave up of an earlier generation comes too late by now.
  const isNew = !isUnanswered
  const begun = isNew && ghost ? withClient(state, session, { ghost: GHOST.none }) : state
  const steps: Taken[] = []
  if (isNew || !ghost) {
    const gone = withClient(begun, session, { ghost: GHOST.ofHeld, isUnanswered: 1 })
    const words = 'client {} asks for a refresh with generation {}, and gives up'
    steps.push(take(gone, words, [session, generation]))
  }
  if (state.isGateOpen) steps.push(...refresh(machine, begun, session))
  else if (!variant.waitsForGate) steps.push(refused(begun, session))
  return steps
}

function refresh(machine: Machine, state: State, session: Session): Taken[] {
  const { table, variant } = machine
  const { generation } = state.clients[session]
  const rotation = table.rotate(state.store, session, generation)
  const values = [session, generation]
  switch (rotation.outcome) {
    case 'unknown':
      return [
        take(
          withClient(state, session, { attempt: ATTEMPT.findLogin }),
          'client {} presents {}: the family is unknown',
          values,
        ),
      ]
    case 'stale':
      return [
        take(
          withClient(state, session, { attempt: ATTEMPT.loadUser }),
          'client {} presents {}: the record is missing',
          values,
        ),
      ]
    case 'rotated':
      if (variant.rotatesAtOnce || session === 1) break
      return [
        take(
          withClient(state, session, { attempt: ATTEMPT.write, attemptRead: rotation.after }),
          'client {} presents {}: it is read',
          values,
        ),
      ]
  }
  return answers({ ...state, store: rotation.after }, session, rotation)
}

/** What the client is told, or is not. */
export function answers(state: State, session: Session, rotation: Rotation): Taken[] {
  const client = state.clients[session]
  if (!isServed(rotation)) {
    if (rotation.outcome !== 'replayed') return [refused(state, session)]
    const ended = { ...gaveUp(client), isReplayUnjournalled: 1 }
    const words = 'client {} presents {}: it is a replay, the session ends'
    const values = [session, client.generation]
    const alarm = findFalseAlarm(state, session)
    return [take(withClient(state, session, ended), words, values, alarm)]
  }
  const { outcome, given } = rotation
  const isSuccessor = given === client.generation + 1
  const broken = isSuccessor ? findServedAfterEnd(state, session, rotation) : RULES.successor
  const over = { attempt: ATTEMPT.none, attemptRead: 0 }
  const ghost = client.ghost === GHOST.ofHeld ? GHOST.ofEarlier : client.ghost
  const served = withClient(state, session, { ...over, generation: given, isUnanswered: 0, ghost })
  const lost = withClient(state, session, { ...over, isUnanswered: 1 })
  const values = [session, client.generation, outcome, given]
  return [
    take(served, 'client {} presents {}: {}, it is given {}', values, broken),
    take(lost, 'client {} presents {}: {}, and the answer with {} is lost', values, broken),
  ]
}

export function refused(state: State, session: Session): Taken {
  const client = state.clients[session]
  const isRobbed = session === 0 && state.wasServedThief
  // A theft that only shows by a refusal, and ends nothing, is not found.
  const rule = isRobbed ? RULES.theft : RULES.healed
  const broken = client.isEndBegun ? undefined : rule
  return take(withClient(state, session, gaveUp(client)), 'client {} is refused', [session], broken)
}

/** Only a theft may raise the alarm. */
function findFalseAlarm(state: State, session: Session): Rule | undefined {
  return session === 0 && state.wasServedThief ? undefined : RULES.alarm
}

function findServedAfterEnd(state: State, session: Session, rotation: Rotation): Rule | undefined {
  return isServed(rotation) && state.clients[session].isAcknowledged ? RULES.ended : undefined
}
