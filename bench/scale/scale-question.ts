// A question of scale: what costs something with a small history or population, does it cost the
// same with a large one?
//
// To add one: a file in this folder that exports a ScaleQuestion, and its name in the list of
// questions.ts. `prepare` fills every case with real records, quickly (many at once through the
// stores, or rows multiplied by INSERT ... SELECT), and returns the measures. The runner asks small
// and large in turns and takes medians, so one call should last some 20 to 500 ms: repeat the act
// and return what one of them cost. `npm run bench -- scale <word>` asks it alone, and
// BENCH_SCALE=0.01 with a hundredth of the sizes, which the results do not keep.

import type { Scope } from '../../test/support/scope.ts'
import type { Spread } from '../statistics.ts'

/** What one act costs in each case: the same act, however much lies around it. */
export interface ScaleMeasure {
  /** As in "refresh, Redis". */
  readonly name: string
  /** `server us`: CPU time of Redis or PostgreSQL. `own us`: CPU time of our process. */
  readonly unit: 'server us' | 'own us' | 'ms' | 'bytes' | 'blocks'
  /** One function for each case, in their order. */
  readonly cases: readonly (() => Promise<number>)[]
}

export interface ScaleQuestion {
  /** The word on the command line. */
  readonly name: string
  readonly title: string
  /** Everything that it opens is closed by `scope`. Sizes go through `scaled`. */
  prepare(scope: Scope, scaled: (full: number) => number): Promise<PreparedQuestion>
}

export interface PreparedQuestion {
  /** In words, the smallest first: `1,000 families`, `1,000,000 families`. */
  readonly cases: readonly string[]
  readonly measures: readonly ScaleMeasure[]
  /** Single numbers that the capacity page is made of, such as bytes a family. */
  readonly facts?: Readonly<Record<string, number>>
}

export interface MeasuredQuestion {
  readonly title: string
  readonly cases: readonly string[]
  readonly measures: readonly MeasuredScale[]
  readonly facts: Readonly<Record<string, number>>
}

export interface MeasuredScale {
  readonly name: string
  readonly unit: ScaleMeasure['unit']
  /** For each case, in their order. */
  readonly costs: readonly Spread[]
  /** Of each larger case to the smallest, taken in each round. */
  readonly ratios: readonly Spread[]
}

export type ScaleResults = Readonly<Record<string, MeasuredQuestion>>
