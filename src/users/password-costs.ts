// What verifying a password costs. Imported hashes have parameters of their own, so the work of a
// login would tell whose account is such a one, and that it exists: every verification is therefore
// as dear as the dearest hash that any user has, for each number of lanes.

import { type Argon2Parameters, isBoundedCost, workOf } from './password-hash.ts'

export interface PasswordCosts {
  /** The dearest of each parallelism, ascending by that; the configured parameters count. */
  list(): readonly Argon2Parameters[]
  /** A hash that has just been stored or met counts at once, until a reload knows better. */
  include(cost: Argon2Parameters): void
  /** As the users' hashes are now. Rejects with DependencyUnavailable, and keeps what it had. */
  reload(): Promise<void>
}

/** Knows the configured parameters alone before the first `reload`. */
export function openPasswordCosts(
  configured: Argon2Parameters,
  loadStored: () => Promise<readonly Argon2Parameters[]> = async () => [],
): PasswordCosts {
  let costs = dearest([configured])
  return {
    list: () => costs,
    include(cost) {
      costs = dearest([...costs, cost])
    },
    async reload() {
      costs = dearest([configured, ...(await loadStored()).filter(isBoundedCost)])
    },
  }
}

function dearest(costs: readonly Argon2Parameters[]): readonly Argon2Parameters[] {
  const byParallelism = new Map<number, Argon2Parameters>()
  for (const { memoryKib, time, parallelism } of costs) {
    const cost = { memoryKib, time, parallelism }
    const known = byParallelism.get(parallelism)
    if (!known || workOf(cost) > workOf(known)) byParallelism.set(parallelism, cost)
  }
  return [...byParallelism.values()].sort((one, other) => one.parallelism - other.parallelism)
}
