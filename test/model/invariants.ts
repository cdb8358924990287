// What must hold in every state, beside what steps break by themselves (client-steps.ts). Each looks at what
// the next request would be answered.

import type { Machine } from './machine.ts'
import { rotateMended } from './mended.ts'
import { LOGIN, type Session, type State, THIEF_GONE } from './state.ts'
import { isServed, RULES, type Rule } from './step.ts'

/** The name of an invariant that the state breaks. */
export function findBroken(machine: Machine, state: State): Rule | undefined {
  // Nobody is answered.
  if (!state.isGateOpen) return undefined
  for (const session of [0, 1] as const) {
    if (worksAfterEnd(machine, state, session)) return RULES.ended
    if (isLoggedOut(machine, state, session)) return RULES.healed
    if (hasTwoSuccessors(machine, state, session)) return RULES.successor
  }
  return isTheftUnfound(machine, state) ? RULES.theft : undefined
}

/**
 * docs/semantics.md §1 and §4: once somebody was told that a session has ended, no token of it is answered,
 * whatever was lost since.
 */
function worksAfterEnd(machine: Machine, state: State, session: Session): boolean {
  if (!state.clients[session].isAcknowledged) return false
  for (let generation = 0; generation < machine.bounds.generations; generation += 1) {
    if (isServed(rotateMended(machine, state, session, generation))) return true
  }
  return false
}

/**
 * docs/semantics.md §2 and §3: whoever was given a token, and repeats within the grace what was not
 * answered, is served as long as nobody has begun to end the session and no thief was served.
 */
function isLoggedOut(machine: Machine, state: State, session: Session): boolean {
  const { login, isEndBegun, generation } = state.clients[session]
  if (login !== LOGIN.in || isEndBegun || (session === 0 && state.wasServedThief)) return false
  return !isServed(rotateMended(machine, state, session, generation))
}

/**
 * docs/semantics.md §3: at most one token of a session can be rotated; as long as no confirmed write was
 * lost, those before it are retried or are replays.
 */
function hasTwoSuccessors({ table, bounds }: Machine, state: State, session: Session): boolean {
  const mayLack = state.failoversLeft < bounds.failovers || state.restartsLeft < bounds.restarts
  if (mayLack || state.clients[session].login !== LOGIN.in) return false
  const newest = Math.max(table.generationOf(state.store, session) ?? 0, 0)
  let rotated = 0
  for (let generation = 0; generation <= newest; generation += 1) {
    if (table.rotate(state.store, session, generation).outcome === 'rotated') rotated += 1
  }
  return rotated > 1
}

/**
 * docs/semantics.md §3: thief and owner cannot both go on. Each waits until the grace of the other's refresh
 * is over; whoever is behind comes first, then the other, and the third refresh at the latest is a replay.
 */
function isTheftUnfound(machine: Machine, state: State): boolean {
  const { thief, clients, wasServedThief } = state
  const [owner] = clients
  if (thief === 0 || thief === THIEF_GONE || !wasServedThief || owner.login !== LOGIN.in)
    return false
  const held = [thief - 1, owner.generation].sort((one, other) => one - other)
  let after: State = state
  for (const turn of [0, 1, 0, 1]) {
    after = { ...after, store: machine.table.tick(after.store) }
    const rotation = rotateMended(machine, after, 0, held[turn] ?? 0)
    if (!isServed(rotation)) return false
    held[turn] = rotation.given
    after = { ...after, store: rotation.after }
  }
  return true
}
