// One fault at two instances that are asked for everything, over and over, from before it to after it.
// It ends when everybody has met it, and the run when everybody is served again.

import { setTimeout as delay } from 'node:timers/promises'
import { until } from '../support/until.ts'
import type { Fault } from './outage-faults.ts'
import { openRows, type Row, type RowAnswer } from './outage-rows.ts'
import type { OutageScene } from './outage-scene.ts'

export interface Observation {
  readonly fromMs: number
  readonly toMs: number
  /** Undefined where the connection broke. */
  readonly answer: RowAnswer | undefined
}

/** All that one row of one instance was answered, in order. */
export interface Watched {
  readonly instance: number
  readonly row: Row
  readonly observations: readonly Observation[]
}

/** By `performance.now()`. */
export interface Moments {
  /** The fault was begun, was there, was being ended, was over. */
  readonly beginningMs: number
  readonly begunMs: number
  readonly endingMs: number
  readonly endedMs: number
}

export interface OutageRun extends Moments {
  readonly watched: readonly Watched[]
  /** What the instances have logged of requests that failed. */
  readonly failures: readonly { readonly name: string; readonly message: string }[]
}

const PAUSE_MS = 250
/** Answers of each row while the fault is there. */
const ANSWERS_MIN = 2

/** Holds the fault for `holdMs` at least. */
export async function runOutage(
  scene: OutageScene,
  fault: Fault,
  holdMs: number,
): Promise<OutageRun> {
  let isOver = false
  const watched: { instance: number; row: Row; observations: Observation[] }[] = []
  for (const [instance, service] of scene.instances.entries()) {
    for (const row of await openRows(scene, service))
      watched.push({ instance, row, observations: [] })
  }
  const loops = watched.map(async ({ row, observations }) => {
    while (!isOver) {
      observations.push(await observe(row))
      await delay(PAUSE_MS)
    }
  })
  const untilServed = async (sinceMs: number) => {
    const unserved = () => watched.filter((one) => !isServed(one, sinceMs))
    await until('everything served', () => unserved().length === 0).catch(() => {
      const names = unserved().map(({ instance, row }) => `${row.name} at ${instance}`)
      throw new Error(`not served after a minute: ${names.join(', ')}`)
    })
  }
  await untilServed(0)
  const failedBefore = scene.instances.map((service) => service.log('request.failed').length)
  const beginningMs = performance.now()
  await fault.begin(scene)
  const begunMs = performance.now()
  await delay(holdMs)
  // Whoever never does is found by the judge.
  await until('everybody to meet the fault', () => hasMet(watched, fault, begunMs)).catch(() => {})
  const endingMs = performance.now()
  await fault.end(scene)
  const endedMs = performance.now()
  await untilServed(endedMs)
  // Whoever is served is served from then on.
  await untilServed(performance.now())
  isOver = true
  await Promise.all(loops)
  const failures = scene.instances.flatMap((service, instance) =>
    service
      .log('request.failed')
      .slice(failedBefore[instance])
      .map(({ err }) => err as OutageRun['failures'][number]),
  )
  return { beginningMs, begunMs, endingMs, endedMs, watched, failures }
}

function isServed({ row, observations }: Watched, sinceMs: number): boolean {
  const last = observations.at(-1)
  return last?.answer?.status === row.served && last.fromMs >= sinceMs
}

async function observe(row: Row): Promise<Observation> {
  const fromMs = performance.now()
  const answer = await row.ask().catch(() => undefined)
  return { fromMs, toMs: performance.now(), answer }
}

/** All rows have been answered as they should be, and often enough; that of readiness has told. */
function hasMet(watched: readonly Watched[], fault: Fault, sinceMs: number): boolean {
  return watched.every(({ row, observations }) => {
    const met = observations.filter(
      ({ fromMs, answer }) => fromMs >= sinceMs && answer && isPromised(fault, row, answer),
    )
    if (met.length < ANSWERS_MIN) return false
    if (row.name !== '/readyz') return true
    return fault.down.every((part) => met.at(-1)?.answer?.body.includes(`"${part}":"down"`))
  })
}

/** What is said while the fault is there. */
export function isPromised({ takes }: Fault, { needs, served }: Row, answer: RowAnswer): boolean {
  return needs.some((need) => takes.includes(need))
    ? answer.isUnavailable
    : answer.status === served
}
