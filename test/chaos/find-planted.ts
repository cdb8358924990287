// The same clients and the same checks against a service with a planted bug.

import { openScope } from '../support/scope.ts'
import type { FaultName } from './chaos-faults.ts'
import { checkHistory, type Rule } from './check-history.ts'
import type { History, Operation } from './history.ts'
import {
  PLANTED_BUGS,
  type PlantedBugName,
  type PlantedService,
  plantBug,
} from './planted-service.ts'
import { runChaos } from './run-chaos.ts'

export interface PlantedRun {
  readonly name: PlantedBugName
  /** By which it was found, each once; none where it was not. */
  readonly rules: readonly Rule[]
  readonly operations: number
}

/** A run may have no theft that meets the bug: the thief can come when the session is over. */
const RUNS_MAX = 3

/** Runs until it was found, three times at most. */
export async function findPlanted(
  name: PlantedBugName,
  { seed, thefts }: { readonly seed: number; readonly thefts: number },
): Promise<PlantedRun> {
  const planted = await plantBug(name)
  let operations = 0
  let rules: Rule[] = []
  for (let run = 0; run < RUNS_MAX && rules.length === 0; run += 1) {
    const history = await runPlanted(name, { planted, seed: seed + run, thefts })
    operations += history.operations.length
    rules = [...new Set(checkHistory(history).map(({ rule }) => rule))]
  }
  return { name, rules, operations }
}

/**
 * Goes on until there were so many thefts, of which some come soon and some after the grace. One instance
 * is enough: the bugs are in what all of them ask of the store.
 */
async function runPlanted(
  name: PlantedBugName,
  options: { readonly planted: PlantedService; readonly seed: number; readonly thefts: number },
): Promise<History> {
  const { planted, seed, thefts } = options
  const faults: Iterator<FaultName, undefined> = PLANTED_BUGS[name].faults[Symbol.iterator]()
  const own = openScope()
  try {
    return await runChaos(own, {
      store: 'redis',
      seed,
      users: 2,
      instances: 1,
      planted,
      nextFault: () => faults.next().value,
      isEnough: (operations) => operations.filter(isTheft).length >= thefts,
      tell() {},
    })
  } finally {
    await own.close()
  }
}

function isTheft({ name, status }: Operation): boolean {
  return name === 'replay' && (status === 200 || status === 400)
}
