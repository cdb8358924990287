// Whether the operations of one user can be put in an order in which each answer is right: a search as by
// Wing and Gong, event by event, that keeps every state in which the user may be and each of them once.
// A call takes its steps when its answer has to be explained, and not before.

import type { FamilyId } from '../../../src/families/family.ts'
import { type NextSteps, publishOnly, type Stage } from './calls.ts'
import { keyOfState, type Moments, type UserState } from './user-state.ts'

export interface Call {
  readonly id: number
  readonly next: NextSteps
  readonly moments: Moments
}

export type SearchEvent =
  | { readonly atMs: number; readonly kind: 'called' | 'answered'; readonly call: Call }
  /** An effect that may come, once or more often, from now on or not any more. */
  | { readonly atMs: number; readonly kind: 'possible' | 'over'; readonly call: Call }
  /** From now on every state is also what this makes of it. */
  | {
      readonly atMs: number
      readonly kind: 'losing'
      readonly lose: (state: UserState) => UserState
    }
  | { readonly atMs: number; readonly kind: 'lost' }

export interface Searched {
  /** The call whose answer no order explains, and what may have been so before it. */
  readonly failed: { readonly call: Call; readonly states: readonly UserState[] } | undefined
  /** The sessions that may have ended because a token came too late. */
  readonly robbed: ReadonlySet<FamilyId>
  readonly statesMax: number
}

interface World {
  readonly state: UserState
  /** The calls that have begun and are not answered yet. */
  readonly open: ReadonlyMap<number, Stage>
}

/** Far beyond what is seen; a history that needs more is not judged. */
const WORLDS_MAX = 50_000

export function search(begin: UserState, events: readonly SearchEvent[]): Searched {
  const robbed = new Set<FamilyId>()
  const open = new Map<number, Call>()
  const possible = new Map<number, Call>()
  let lose: ((state: UserState) => UserState) | undefined
  let worlds: readonly World[] = [{ state: begin, open: new Map() }]
  let statesMax = 1

  function explore(): World[] {
    const found = new Map<string, World>()
    const queue = [...worlds]
    for (let world = queue.pop(); world; world = queue.pop()) {
      const state = lose ? lose(world.state) : world.state
      const kept = { ...world, state }
      const key = keyOf(kept)
      if (found.has(key)) continue
      if (found.size >= WORLDS_MAX) throw new Error('this history has too many explanations')
      found.set(key, kept)
      for (const next of nextWorlds(kept, open, possible, robbed)) queue.push(next)
    }
    statesMax = Math.max(statesMax, found.size)
    return [...found.values()]
  }

  for (const event of events) {
    if (event.kind === 'called') {
      open.set(event.call.id, event.call)
      worlds = worlds.map((world) => withStage(world, event.call.id, 'called'))
    } else if (event.kind === 'possible') {
      possible.set(event.call.id, event.call)
    } else if (event.kind === 'losing') {
      worlds = explore()
      lose = event.lose
    } else if (event.kind === 'lost') {
      worlds = explore()
      lose = undefined
    } else if (event.kind === 'over') {
      worlds = explore()
      possible.delete(event.call.id)
    } else {
      const before = worlds
      worlds = explore().filter((world) => world.open.get(event.call.id) === 'done')
      open.delete(event.call.id)
      if (worlds.length === 0) {
        const states = before.map(({ state }) => state)
        return { failed: { call: event.call, states }, robbed, statesMax }
      }
      worlds = distinct(worlds.map((world) => withStage(world, event.call.id, undefined)))
    }
  }
  return { failed: undefined, robbed, statesMax }
}

function nextWorlds(
  world: World,
  open: ReadonlyMap<number, Call>,
  possible: ReadonlyMap<number, Call>,
  robbed: Set<FamilyId>,
): World[] {
  const next: World[] = []
  const take = (call: Call, stage: Stage) =>
    call.next(world.state, stage, call.moments).map((step) => {
      if (step.robbed) robbed.add(step.robbed)
      const after = moved(world, step.after, step.isCommit ?? false)
      return { call, stage: step.stage, after }
    })
  for (const [id, stage] of world.open) {
    const call = open.get(id)
    if (!call || stage === 'done') continue
    for (const step of take(call, stage)) next.push(withStage(step.after, id, step.stage))
  }
  for (const call of possible.values()) {
    for (const step of take(call, 'called')) next.push(step.after)
  }
  const moments = { span: { fromMs: 0, toMs: 0 }, graceMs: 0 }
  const published = publishOnly(world.state, moments)
  if (published) next.push(moved(world, published, false))
  return next
}

/** What a step of one call means for the others. */
function moved(world: World, after: UserState, isCommit: boolean): World {
  const isPublished = after.unpublished === undefined
  const stages = [...world.open].map(([id, stage]): [number, Stage] => {
    if (stage === 'committed' && isPublished) return [id, 'done']
    // Of all calls only a login asks for this.
    return [id, isCommit && stage === 'called' ? 'overtaken' : stage]
  })
  return { state: after, open: new Map(stages) }
}

function withStage(world: World, id: number, stage: Stage | undefined): World {
  const open = new Map(world.open)
  if (stage) open.set(id, stage)
  else open.delete(id)
  return { ...world, open }
}

function keyOf({ state, open }: World): string {
  const stages = [...open].map(([id, stage]) => `${id}${stage}`).sort()
  return `${keyOfState(state)} ${stages.join(' ')}`
}

function distinct(worlds: readonly World[]): World[] {
  return [...new Map(worlds.map((world) => [keyOf(world), world])).values()]
}
