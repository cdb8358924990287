// A refresh whose family or record the store lacks, step by step as in src/families/families.ts and
// src/families/lost-families.ts: anything may come between two of them.

import { answers, refused } from './client-steps.ts'
import type { Machine } from './machine.ts'
import { ATTEMPT, ENTRY, type Session, type State } from './state.ts'
import { type Taken, take, withClient } from './step.ts'

export function mendingSteps(machine: Machine, state: State, session: Session): Taken[] {
  const dead = { attempt: ATTEMPT.none, attemptRead: 0, isUnanswered: 1 }
  const words = 'the refresh of client {} ends without an answer'
  return [
    take(withClient(state, session, dead), words, [session]),
    ...readingSteps(state, session),
    ...(state.isGateOpen ? writingSteps(machine, state, session) : []),
  ]
}

/** Those that ask PostgreSQL, which no gate keeps from. */
function readingSteps(state: State, session: Session): Taken[] {
  const { attempt } = state.clients[session]
  const hasLogin = (state.journal & ENTRY.login(session)) !== 0
  const to = (next: number) =>
    withClient(state, session, { attempt: next, attemptRead: state.truth })
  if (attempt === ATTEMPT.loadUser) {
    return [take(to(ATTEMPT.putLoaded), 'for client {} the record is read', [session])]
  }
  if (attempt === ATTEMPT.findLogin) {
    if (!hasLogin) return [refused(state, session)]
    const words = 'for client {} the login is found in the journal, and the record is read'
    return [take(to(ATTEMPT.putBeforeCreate), words, [session])]
  }
  return []
}

function writingSteps({ table }: Machine, state: State, session: Session): Taken[] {
  const { attempt, attemptRead, record, generation } = state.clients[session]
  const to = (next: number, store: number, read = 0) =>
    withClient({ ...state, store }, session, { attempt: next, attemptRead: read })
  switch (attempt) {
    case ATTEMPT.putBeforeCreate: {
      const after = to(ATTEMPT.create, table.put(state.store, attemptRead))
      return [take(after, 'for client {} the record is put', [session])]
    }
    case ATTEMPT.create: {
      const { isCreated, after } = table.create(state.store, session, record)
      if (!isCreated) return [refused({ ...state, store: after }, session)]
      const made = to(ATTEMPT.rotateCreated, after)
      return [take(made, 'for client {} the family is made again', [session])]
    }
    case ATTEMPT.putLoaded: {
      const after = to(ATTEMPT.rotateLoaded, table.put(state.store, attemptRead))
      return [take(after, 'for client {} the record is put', [session])]
    }
    case ATTEMPT.write: {
      const store = table.writeBack(state.store, session, attemptRead)
      const rotation = { outcome: 'rotated', given: generation + 1, after: store } as const
      return answers({ ...state, store }, session, rotation)
    }
    case ATTEMPT.rotateCreated:
    case ATTEMPT.rotateLoaded: {
      const rotation = table.rotate(state.store, session, generation)
      if (rotation.outcome === 'stale' && attempt === ATTEMPT.rotateCreated) {
        const after = to(ATTEMPT.loadUser, state.store)
        return [take(after, 'the record for client {} is missing', [session])]
      }
      return answers({ ...state, store: rotation.after }, session, rotation)
    }
    default:
      return []
  }
}
