// The same clients and the same checks against a service with a planted bug.

import type { Scope } from '../support/scope.ts'
import type { FaultName } from './chaos-faults.ts'
import { checkHistory, type Rule } from './check-history.ts'
import type { Operation } from './history.ts'
import { PLANTED_BUGS, type PlantedBugName, plantBug } from './planted-service.ts'
import { runChaos } from './run-chaos.ts'

export interface PlantedRun {
  readonly name: PlantedBugName
  /** By which it was found, each once; none where it was not. */
  readonly rules: readonly Rule[]
  readonly operations: number
}

/**
 * Goes on until there were so many thefts, of which some come soon and some after the grace. One instance
 * is enough: the bugs are in what all of them ask of the store.
 */
export async function findPlanted(
  scope: Scope,
  name: PlantedBugName,
  { seed, thefts }: { readonly seed: number; readonly thefts: number },
): Promise<PlantedRun> {
  const faults: Iterator<FaultName, undefined> = PLANTED_BUGS[name].faults[Symbol.iterator]()
  const history = await runChaos(scope, {
    store: 'redis',
    seed,
    users: 2,
    instances: 1,
    planted: await plantBug(name),
    nextFault: () => faults.next().value,
    isEnough: (operations) => operations.filter(isTheft).length >= thefts,
    tell() {},
  })
  const rules = [...new Set(checkHistory(history).map(({ rule }) => rule))]
  return { name, rules, operations: history.operations.length }
}

function isTheft({ name, status }: Operation): boolean {
  return name === 'replay' && (status === 200 || status === 400)
}
