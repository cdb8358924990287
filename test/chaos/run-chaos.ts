// One run: clients that go on whatever happens, faults one after the other, and the history of it
// all. It goes by what the clients meet: a fault ends when everybody has met it and its time is up,
// the next one begins when everybody is served again.

import { setTimeout as delay } from 'node:timers/promises'
import type { Scope } from '../support/scope.ts'
import { type Actor, openActor, type Temper } from './chaos-actor.ts'
import { FAULTS, type FaultName } from './chaos-faults.ts'
import {
  type ChaosScene,
  type ChaosSceneOptions,
  GRACE_SECONDS,
  openChaosScene,
} from './chaos-scene.ts'
import type { Fault } from './faults/fault.ts'
import { type FaultSpan, type History, isAnswered, OPERATIONS, type Operation } from './history.ts'
import { openRandom, type Random } from './random.ts'

export interface ChaosOptions extends ChaosSceneOptions {
  readonly seed: number
  /** Asked for the next fault until there is none. */
  readonly nextFault: (random: Random) => FaultName | undefined
  /** Whether the run may end, when there is no next fault. */
  readonly isEnough?: (operations: readonly Operation[]) => boolean
  /** Told as the run goes. */
  readonly tell: (line: string) => void
}

const ACTORS_PER_USER = 2
/** Far beyond what is promised, for a machine that is busy. */
const SERVED_AGAIN_MS = 90_000
const POLL_MS = 20
const SETTLE_PATIENCE_MS = 3_000

export async function runChaos(scope: Scope, options: ChaosOptions): Promise<History> {
  const { store, seed, nextFault, tell, isEnough = () => true } = options
  const random = openRandom(`${seed} ${store}`)
  const scene = await openChaosScene(scope, options)
  const operations: Operation[] = []
  const faults: FaultSpan[] = []
  const unserved: string[] = []
  const actors = scene.users.flatMap((user, number) =>
    Array.from({ length: ACTORS_PER_USER }, (_, twin) => {
      const character = { user, temper: temperOf(number) }
      const chance = random.fork(`actor ${number}.${twin}`)
      return openActor(scene, character, chance, (operation) => operations.push(operation))
    }),
  )
  let stopped = false
  const loops = actors.map(async (actor) => {
    while (!stopped) await actor.step()
  })

  /** Writes down who is not served by anything that begins now. */
  async function serveAll(sinceMs: number, after: string): Promise<void> {
    await untilServed(actors, sinceMs)
    for (const actor of actors.filter(({ servedAtMs }) => servedAtMs <= sinceMs)) {
      unserved.push(`after ${after}, ${actor.describe()}`)
    }
  }

  await serveAll(0, 'the start')
  for (let name = nextFault(random); name; name = nextFault(random)) {
    const span = await suffer(scene, name, random, actors)
    if (!span) continue
    faults.push(span)
    tell(
      `${name}: ${Math.round(span.endMs - span.beginMs)} ms, served again after ${span.servedMs}`,
    )
    await serveAll(span.overMs, name)
    if (unserved.length > 0) break
  }
  if (unserved.length === 0) await waitFor(() => isComplete(operations) && isEnough(operations))
  stopped = true
  await Promise.all(loops)
  const alarms = scene.instances.flatMap((instance) => instance.alarms())
  const calm = scene.users.filter((_, number) => temperOf(number) === 'calm').map(({ id }) => id)
  return { graceMs: GRACE_SECONDS * 1000, calm, operations, faults, alarms, unserved }
}

const temperOf = (number: number): Temper => (number % 2 === 0 ? 'calm' : 'lively')

/** Whether everything that clients do was answered once, so that no rule was kept for lack of it. */
function isComplete(operations: readonly Operation[]): boolean {
  return Object.keys(OPERATIONS).every((name) =>
    operations.some((one) => one.name === name && isAnswered(one)),
  )
}

/** Undefined for a fault that this scene cannot have. */
async function suffer(
  scene: ChaosScene,
  name: FaultName,
  random: Random,
  actors: readonly Actor[],
): Promise<FaultSpan | undefined> {
  const fault: Fault | undefined = await FAULTS[name](scene, random)
  if (!fault) return undefined
  const fromMs = performance.now()
  await fault.begin()
  // A pause is over with the call; what was under way may still have got through.
  const beginMs = performance.now()
  await delay(fault.holdMs)
  await waitFor(() => actors.every(({ askedAtMs }) => askedAtMs > beginMs))
  // What began before this moment met the fault to its end.
  const endMs = performance.now()
  await fault.end()
  const endedMs = performance.now()
  const served = untilServed(actors, endedMs)
  const { replicated } = scene.redis ?? {}
  if (replicated) {
    // Any fault may make them choose another master, and they take their time.
    await delay(SETTLE_PATIENCE_MS)
    await replicated.settled()
  }
  const overMs = performance.now()
  // A Cluster waits until the old master knows; of a Sentinel's it hears later.
  const isSplit = name === 'failOver' && scene.store === 'sentinel'
  const lost = replicated ? { isSplit } : fault.lost?.()
  const loss = lost && { ...lost, fromMs, toMs: overMs }
  const servedMs = await served
  return {
    name,
    beginMs,
    endMs,
    servedMs,
    overMs,
    silent: fault.silent ?? [],
    ...(loss && { loss }),
  }
}

/** Resolves when each is served by something that began later; in how many milliseconds. */
async function untilServed(actors: readonly Actor[], sinceMs: number): Promise<number> {
  await waitFor(() => actors.every(({ servedAtMs }) => servedAtMs > sinceMs))
  return Math.round(performance.now() - sinceMs)
}

async function waitFor(isDone: () => boolean): Promise<void> {
  const giveUpAt = performance.now() + SERVED_AGAIN_MS
  while (!isDone() && performance.now() < giveUpAt) await delay(POLL_MS)
}
