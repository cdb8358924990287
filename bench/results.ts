// What a run of the benchmark has found, as it stands in bench/results.json, from which the pages
// and plots of the documentation are made.

import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { AllCoresResults } from './all-cores.ts'
import type { Calls } from './count-calls.ts'
import type { Machine } from './machine.ts'
import type { ScaleResults } from './scale/scale-question.ts'
import type { ScenarioName } from './scenarios.ts'
import type { Spread } from './statistics.ts'

export type Spreads = Readonly<Record<string, Spread>>

export interface ScenarioResult {
  /** By participant, then by what was measured. */
  readonly measures: Readonly<Record<string, Spreads>>
  readonly calls: Readonly<Record<string, Calls>>
  /** Of Lineage to each other participant, taken in each round and then over the rounds. */
  readonly ratios: Readonly<Record<string, Spreads>>
}

export interface Results {
  readonly machine: Machine
  readonly settings: {
    readonly rounds: number
    readonly seconds: number
    readonly connections: number
  }
  readonly scenarios: Readonly<Partial<Record<ScenarioName, ScenarioResult>>>
  readonly allCores?: AllCoresResults
  readonly start?: Readonly<Record<string, Spreads>>
  readonly scale?: ScaleResults
}

const OWN_FILE = join(import.meta.dirname, 'results.json')
/** A test that runs the benchmark writes elsewhere. */
const FILE = process.env.BENCH_RESULTS || OWN_FILE

/** Whether the documents are made of what is being written. */
export const IS_OWN_FILE = FILE === OWN_FILE

export function readResults(): Results {
  return JSON.parse(readFileSync(FILE, 'utf8')) as Results
}

/** Replaces the members that are given and keeps the others. */
export function keepResults(changed: Partial<Results>): void {
  const known = existsSync(FILE) ? readResults() : {}
  writeFileSync(FILE, `${JSON.stringify({ ...known, ...changed }, null, 2)}\n`)
}

/** The same for single questions of scale. */
export function keepScale(questions: ScaleResults): void {
  const scale = existsSync(FILE) ? readResults().scale : {}
  keepResults({ scale: { ...scale, ...questions } })
}
