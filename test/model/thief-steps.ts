// A thief copies the refresh token that client 0 holds, and uses it when it likes; each use is one step.

import type { Machine } from './machine.ts'
import { rotateMended } from './mended.ts'
import { LOGIN, type State, THIEF_GONE } from './state.ts'
import { isServed, RULES, type Taken, take, withClient } from './step.ts'

export function thiefSteps(machine: Machine, state: State): Taken[] {
  const { thief, clients } = state
  if (thief === THIEF_GONE) return []
  const [owner] = clients
  if (thief === 0) {
    if (owner.login !== LOGIN.in) return []
    const stolen = { ...state, thief: owner.generation + 1 }
    return [take(stolen, 'a thief copies generation {}', [owner.generation])]
  }
  const generation = thief - 1
  if (!state.isGateOpen || generation >= machine.bounds.generations - 1) return []
  const rotation = rotateMended(machine, state, 0, generation)
  const after = { ...state, store: rotation.after }
  if (isServed(rotation)) {
    const served = { ...after, thief: rotation.given + 1, wasServedThief: 1 }
    const broken = owner.isAcknowledged ? RULES.ended : undefined
    const values = [generation, rotation.outcome, rotation.given]
    return [take(served, 'the thief presents {}: {}, it is given {}', values, broken)]
  }
  const gone = { ...after, thief: THIEF_GONE }
  const isAlarm = rotation.outcome === 'replayed'
  const end = { isReplayUnjournalled: 1, isEndBegun: owner.login === LOGIN.in ? 1 : 0 }
  const done = isAlarm ? withClient(gone, 0, end) : gone
  return [take(done, 'the thief presents {}: {}', [generation, rotation.outcome])]
}
