// Breadth first through every state that can be reached, each packed into a few numbers. The first state
// found that breaks a rule is one of those with the shortest way there.

import { findBroken } from './invariants.ts'
import { firstState, type Machine, stepsFrom } from './machine.ts'
import { pack, type State, unpack, WORDS } from './state.ts'
import { describeStep, type Rule } from './step.ts'

export interface Found {
  /** The name of the invariant. */
  readonly broken: Rule
  /** In readable words, the first step first. */
  readonly steps: readonly string[]
}

export interface Searched {
  readonly states: number
  readonly transitions: number
  /** Steps on the longest of the shortest ways. */
  readonly depth: number
  readonly stores: number
  readonly found: Found | undefined
}

/** Ends with the first state that breaks a rule; without one, when every state was met. */
export function search(machine: Machine): Searched {
  const known = openStateTable()
  known.add(firstState(machine), 0)
  let transitions = 0
  let depth = 0
  let levelEnds = known.size
  let found: { at: number; broken: Rule; last?: string } | undefined

  for (let at = 0; at < known.size && !found; at += 1) {
    if (at === levelEnds) {
      depth += 1
      levelEnds = known.size
    }
    const state = known.get(at)
    for (const taken of stepsFrom(machine, state)) {
      transitions += 1
      const { after, broken } = taken
      if (broken) found = { at, broken, last: describeStep(taken) }
      else if (known.add(after, at)) {
        const rule = findBroken(machine, after)
        if (rule) found = { at: known.size - 1, broken: rule }
      }
      if (found) break
    }
  }

  return {
    states: known.size,
    transitions,
    depth,
    stores: machine.table.size,
    found: found && {
      broken: found.broken,
      steps: [...wayTo(machine, known, found.at), ...(found.last ? [found.last] : [])],
    },
  }
}

type StateTable = ReturnType<typeof openStateTable>

/** A hash table over packed states, in the order in which they were met. */
function openStateTable() {
  const packed = new Uint32Array(WORDS)
  let capacity = 1 << 12
  let words = new Uint32Array(capacity * WORDS)
  let parents = new Uint32Array(capacity)
  /** Twice as many places as states; one more than the state's number, 0 for none. */
  let places = new Uint32Array(2 * capacity)
  let size = 0

  function placeOf(from: Uint32Array, at: number): number {
    let hash = 0x811c9dc5
    for (let i = 0; i < WORDS; i += 1) {
      hash = Math.imul(hash ^ (from[at + i] ?? 0), 0x9e3779b1)
      hash ^= hash >>> 15
    }
    const mask = places.length - 1
    let place = hash & mask
    for (;;) {
      const held = places[place] ?? 0
      if (held === 0 || isSame(from, at, held - 1)) return place
      place = (place + 1) & mask
    }
  }

  function isSame(from: Uint32Array, at: number, held: number): boolean {
    for (let i = 0; i < WORDS; i += 1) {
      if (words[held * WORDS + i] !== from[at + i]) return false
    }
    return true
  }

  function grow(): void {
    capacity *= 2
    words = copied(words, capacity * WORDS)
    parents = copied(parents, capacity)
    places = new Uint32Array(2 * capacity)
    for (let i = 0; i < size; i += 1) places[placeOf(words, i * WORDS)] = i + 1
  }

  return {
    get size() {
      return size
    },
    get: (at: number): State => unpack(words, at * WORDS),
    parentOf: (at: number) => parents[at] ?? 0,
    /** Whether the state is new. */
    add(state: State, parent: number): boolean {
      pack(state, packed)
      let place = placeOf(packed, 0)
      if (places[place]) return false
      if (size === capacity) {
        grow()
        place = placeOf(packed, 0)
      }
      words.set(packed, size * WORDS)
      parents[size] = parent
      size += 1
      places[place] = size
      return true
    },
  }
}

function copied(from: Uint32Array, length: number): Uint32Array<ArrayBuffer> {
  const to = new Uint32Array(length)
  to.set(from)
  return to
}

/** The words of steps are not kept; each step is found again between a state and the one before it. */
function wayTo(machine: Machine, known: StateTable, at: number): string[] {
  const steps: string[] = []
  for (let child = at; child !== 0; child = known.parentOf(child)) {
    const wanted = keyOf(known.get(child))
    const before = known.get(known.parentOf(child))
    const step = stepsFrom(machine, before).find(({ after }) => keyOf(after) === wanted)
    if (!step) throw new Error('a step between two states is lost')
    steps.unshift(describeStep(step))
  }
  return steps
}

function keyOf(state: State): string {
  const words = new Uint32Array(WORDS)
  pack(state, words)
  return words.join()
}
