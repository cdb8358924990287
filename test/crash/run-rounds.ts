// The rounds of one act: measured once whole, then killed at moments that are drawn from that extent.

import { openRandom } from '../chaos/random.ts'
import { openScope } from '../support/scope.ts'
import type { Act } from './act.ts'
import { drawMoment, type Extent, type Moment, makeFuse } from './fuse.ts'
import type { Damage } from './invariants.ts'

export interface ActReport {
  readonly rounds: number
  /** In how many of them the kill came while the act was under way. */
  readonly inTime: number
  /** Of each way in which the act is done, measured once whole. */
  readonly extents: ReadonlyMap<string, Extent>
  /** How often each thing was killed. */
  readonly killed: ReadonlyMap<string, number>
  readonly broken: readonly BrokenRound[]
  readonly seconds: number
}

export interface BrokenRound {
  readonly round: number
  readonly moment: Moment
  readonly damages: readonly Damage[]
}

export interface RoundsOptions {
  readonly name: string
  readonly rounds: number
  readonly seed: number | string
  /** In place of moments that are drawn; nothing is measured then. */
  readonly moments?: readonly Moment[]
  readonly tell: (line: string) => void
  /** Ends sooner, with the round that is under way then. */
  readonly secondsMax?: number | undefined
}

const MEASURED: Moment = { kind: 'end' }

/** A damage stays in the stores, so the act ends with its first round that has one. */
export async function runRounds(act: Act, options: RoundsOptions): Promise<ActReport> {
  const { name, rounds, seed, tell, moments, secondsMax = Number.POSITIVE_INFINITY } = options
  const random = openRandom(`${seed} ${name}`)
  const scope = openScope()
  const beganAtMs = performance.now()
  const killed = new Map<string, number>()
  const broken: BrokenRound[] = []
  const count = { done: 0, inTime: 0 }
  const extents = new Map<string, Extent>()
  try {
    const runRound = await act.open(scope, random)
    const isTimeLeft = () => performance.now() - beganAtMs < secondsMax * 1000
    while (count.done < rounds && broken.length === 0 && isTimeLeft()) {
      const used = { way: '', fuse: makeFuse(MEASURED) }
      const seen = await runRound((way) => {
        const extent = extents.get(way)
        const drawn = extent ? drawMoment(random, extent) : MEASURED
        const fuse = makeFuse(moments?.[count.done] ?? drawn)
        Object.assign(used, { way, fuse })
        return fuse
      }, random)
      const { moment, isInTime, extent } = used.fuse
      if (moment === MEASURED) extents.set(used.way, extent)
      else {
        count.done += 1
        count.inTime += isInTime ? 1 : 0
        killed.set(seen.killed, (killed.get(seen.killed) ?? 0) + 1)
      }
      if (seen.damages.length > 0) broken.push({ round: count.done, moment, damages: seen.damages })
      tell(`${name} ${count.done}: ${seen.killed}, ${describe(moment)}${isInTime ? '' : ', out'}`)
    }
  } finally {
    await scope.close()
  }
  return {
    rounds: count.done,
    inTime: count.inTime,
    extents,
    killed,
    broken,
    seconds: Math.round((performance.now() - beganAtMs) / 1000),
  }
}

function describe(moment: Moment): string {
  if (moment.kind === 'time') return `after ${moment.ms} ms`
  return moment.kind === 'step' ? `step ${moment.step} ${moment.phase}` : 'measured'
}
