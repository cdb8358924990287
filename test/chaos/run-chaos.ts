// One run: clients that go on whatever happens, faults one after the other, and the history of it
// all. It goes by what the clients meet: a fault ends when everybody has met it and its time is up,
// the next one begins when everybody is served again.

import { setTimeout as delay } from 'node:timers/promises'
import type { Scope } from '../support/scope.ts'
import { type Actor, openActor } from './chaos-actor.ts'
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
  /** Told as the run goes. */
  readonly tell: (line: string) => void
}

const ACTORS_PER_USER = 2
/** Far beyond what is promised, for a machine that is busy. */
const SERVED_AGAIN_MS = 45_000
const POLL_MS = 20
const SETTLE_PATIENCE_MS = 3_000

export async function runChaos(scope: Scope, options: ChaosOptions): Promise<History> {
  const { store, seed, nextFault, tell } = options
  const random = openRandom(`${seed} ${store}`)
  const scene = await openChaosScene(scope, options)
  const operations: Operation[] = []
  const faults: FaultSpan[] = []
  const unserved: string[] = []
  const actors = scene.users.flatMap((user, number) =>
    Array.from({ length: ACTORS_PER_USER }, (_, twin) => {
      const character = { user, temper: number % 2 === 0 ? 'calm' : 'lively' } as const
      const chance = random.fork(`actor ${number}.${twin}`)
      return openActor(scene, character, chance, (operation) => operations.push(operation))
    }),
  )
  let stopped = false
  const loops = actors.map(async (actor) => {
    while (!stopped) await actor.step()
  })

  /** Resolves when everybody is, or writes down who is not. */
  async function untilServed(sinceMs: number, after: string): Promise<void> {
    await waitFor(() => actors.every(({ servedAtMs }) => servedAtMs > sinceMs))
    for (const actor of actors.filter(({ servedAtMs }) => servedAtMs <= sinceMs)) {
      unserved.push(`after ${after}, ${actor.describe()}`)
    }
  }

  await untilServed(0, 'the start')
  for (let name = nextFault(random); name; name = nextFault(random)) {
    const span = await suffer(scene, name, random, actors)
    if (!span) continue
    faults.push(span)
    tell(`${name}: ${Math.round(span.overMs - span.beginMs)} ms`)
    await untilServed(span.overMs, name)
    if (unserved.length > 0) break
  }
  if (unserved.length === 0) await waitFor(() => isComplete(operations))
  stopped = true
  await Promise.all(loops)
  const alarms = scene.instances.flatMap((instance) => instance.alarms())
  return { graceMs: GRACE_SECONDS * 1000, operations, faults, alarms, unserved }
}

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
  const { replicated } = scene.redis ?? {}
  if (replicated) {
    // Any fault may make them choose another master, and they take their time.
    await delay(SETTLE_PATIENCE_MS)
    await replicated.settled()
  }
  const overMs = performance.now()
  const lost = replicated ? { isSplit: name === 'failOver' } : fault.lost?.()
  const loss = lost && { ...lost, fromMs, toMs: overMs }
  return { name, beginMs, endMs, overMs, silent: fault.silent ?? [], ...(loss && { loss }) }
}

async function waitFor(isDone: () => boolean): Promise<void> {
  const giveUpAt = performance.now() + SERVED_AGAIN_MS
  while (!isDone() && performance.now() < giveUpAt) await delay(POLL_MS)
}
