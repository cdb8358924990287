// The moment of a kill within an act: after a time, or at one of the steps that the act takes towards the
// stores, which a wire counts. A step is what is sent to a store at once: between two of them lies all that
// an act may leave half done.

import type { Random } from '../chaos/random.ts'

/** At a step: before the store has it, when it was passed on, or when the store's answer is on its way. */
export type StepPhase = 'unsent' | 'sent' | 'answered'

export type Moment =
  | { readonly kind: 'time'; readonly ms: number }
  | { readonly kind: 'step'; readonly step: number; readonly phase: StepPhase }
  /** Nothing is killed before the act is over: to measure it. */
  | { readonly kind: 'end' }

/** How long an act takes, and how many steps. */
export interface Extent {
  readonly ms: number
  readonly steps: number
}

export interface Fuse {
  readonly moment: Moment
  /** The act begins; `kill` is called once, at the moment or when the act is out. */
  light(kill: () => void): void
  /** The act is over, of itself. */
  burnOut(): void
  /** Whether the moment came before the act was over. */
  readonly isInTime: boolean
  /** A wire asks at each step, and again with the answer; true where this was the moment. */
  step(): { readonly number: number; readonly phase: StepPhase | undefined }
  blow(): void
  readonly extent: Extent
}

const PHASES: readonly StepPhase[] = ['unsent', 'sent', 'answered']

/** A moment within the extent: by turns in time and at a step, where there are steps. */
export function drawMoment(random: Random, { ms, steps }: Extent): Moment {
  if (steps === 0 || random.next() < 0.4) return { kind: 'time', ms: random.between(0, ms) }
  // An act connects and reads before it changes anything, so half of them are of its last third.
  const first = random.next() < 0.5 ? 1 : Math.ceil((steps * 2) / 3)
  return { kind: 'step', step: random.between(first, steps), phase: random.pick(PHASES) }
}

/** A busy machine takes few steps in that time, and moments are drawn from them. */
const MEASURED_MIN: Extent = { ms: 1_000, steps: 100 }

/** Burns out what goes on of itself, once it has been measured for long enough. Gives what stops that. */
export function endMeasuring(fuse: Fuse): () => void {
  const litAtMs = performance.now()
  const timer = setInterval(() => {
    const { ms, steps } = MEASURED_MIN
    const isEnough = performance.now() - litAtMs >= ms && fuse.extent.steps >= steps
    if (fuse.moment.kind === 'end' && isEnough) fuse.burnOut()
  }, 20)
  return () => clearInterval(timer)
}

export function makeFuse(moment: Moment): Fuse {
  let kill: (() => void) | undefined
  const state = { litAtMs: 0, endMs: 0, steps: 0, isOver: false, isInTime: false }
  let timer: NodeJS.Timeout | undefined

  function blow(isInTime: boolean): void {
    if (state.isOver || !kill) return
    Object.assign(state, { isOver: true, isInTime, endMs: performance.now() })
    clearTimeout(timer)
    kill()
  }

  return {
    moment,
    light(given) {
      kill = given
      state.litAtMs = performance.now()
      if (moment.kind === 'time') timer = setTimeout(() => blow(true), moment.ms)
    },
    burnOut: () => blow(false),
    blow: () => blow(true),
    step() {
      if (!kill || state.isOver) return { number: 0, phase: undefined }
      state.steps += 1
      const isIt = moment.kind === 'step' && moment.step === state.steps
      return { number: state.steps, phase: isIt ? moment.phase : undefined }
    },
    get isInTime() {
      return state.isInTime
    },
    get extent() {
      return { ms: Math.round(state.endMs - state.litAtMs), steps: state.steps }
    },
  }
}
