// A step of the machine, and the changes of a state that all kinds of steps share.

import type { Machine } from './machine.ts'
import {
  ATTEMPT,
  type ClientState,
  ENTRY,
  GHOST,
  LOGIN,
  type Session,
  type State,
} from './state.ts'
import type { Rotation } from './stores.ts'

/** The invariants that a step can break by itself (docs/semantics.md §3 and §4). */
export const RULES = {
  ended: 'no answer after an acknowledged end',
  alarm: 'no false reuse alarm for an honest client',
  healed: 'every acknowledged rotation is usable or healed',
  successor: 'one live successor of each generation',
  theft: 'theft is found at the latest one refresh later',
} as const

export type Rule = (typeof RULES)[keyof typeof RULES]

/** The state after a step, and in words what it is: `{}` stands for the values. */
export interface Taken {
  readonly after: State
  readonly words: string
  readonly values: readonly (number | string)[]
  readonly broken: Rule | undefined
}

export function take(
  after: State,
  words: string,
  values: Taken['values'] = [],
  broken?: Rule,
): Taken {
  return { after, words, values, broken }
}

/** The step in readable words. */
export function describeStep({ words, values }: Taken): string {
  return values.reduce<string>((text, value) => text.replace('{}', String(value)), words)
}

export function withClient(state: State, session: Session, change: Partial<ClientState>): State {
  const [first, second] = state.clients
  return session === 0
    ? { ...state, clients: [merged(first, change), second] }
    : { ...state, clients: [first, merged(second, change)] }
}

/** Member by member, which takes half the time of spreading both. */
function merged(client: ClientState, change: Partial<ClientState>): ClientState {
  return {
    login: change.login ?? client.login,
    record: change.record ?? client.record,
    generation: change.generation ?? client.generation,
    attempt: change.attempt ?? client.attempt,
    attemptRead: change.attemptRead ?? client.attemptRead,
    ghost: change.ghost ?? client.ghost,
    isUnanswered: change.isUnanswered ?? client.isUnanswered,
    isAcknowledged: change.isAcknowledged ?? client.isAcknowledged,
    isEndBegun: change.isEndBegun ?? client.isEndBegun,
    isReplayUnjournalled: change.isReplayUnjournalled ?? client.isReplayUnjournalled,
  }
}

/** The client gives its session up, and what it knew of it. */
export function gaveUp({ ghost, generation }: ClientState): Partial<ClientState> {
  return {
    login: LOGIN.over,
    generation: ghost === GHOST.none ? 0 : generation,
    attempt: ATTEMPT.none,
    attemptRead: 0,
    isUnanswered: 0,
    isEndBegun: 0,
  }
}

export function isServed({ outcome }: Rotation): boolean {
  return outcome === 'rotated' || outcome === 'retried'
}

/** An end of a session in the journal takes the login along. */
export function journalEnd({ variant }: Machine, state: State, session: Session): State {
  const kept = variant.deletesLogin ? state.journal & ~ENTRY.login(session) : state.journal
  const journalled = withClient(state, session, { isReplayUnjournalled: 0 })
  return { ...journalled, journal: kept | ENTRY.end(session) }
}
