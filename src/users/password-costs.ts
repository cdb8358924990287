// What verifying a password costs. Imported hashes have other parameters, so the time of a login
// could tell that an account exists and was imported. Every verification therefore costs as much as
// the most expensive hash that any user has, for each parallelism in use (docs/semantics.md §7).

import { type Argon2Parameters, isBoundedCost, workOf } from './password-hash.ts'

export interface PasswordCosts {
  /** The most expensive parameters of each parallelism in use, the configured ones included. */
  list(): readonly Argon2Parameters[]
  /** Adds the cost of a hash that was just stored or met; the next reload starts anew. */
  include(cost: Argon2Parameters): void
  /**
   * Reads the costs of all users' hashes. Rejects with DependencyUnavailable; the costs stay then.
   */
  reload(): Promise<void>
}

/** Knows the configured parameters alone before the first `reload`. */
export function openPasswordCosts(
  configured: Argon2Parameters,
  loadStored: () => Promise<readonly Argon2Parameters[]> = async () => [],
): PasswordCosts {
  let costs = mostExpensive([configured])
  return {
    list: () => costs,
    include(cost) {
      costs = mostExpensive([...costs, cost])
    },
    async reload() {
      costs = mostExpensive([configured, ...(await loadStored()).filter(isBoundedCost)])
    },
  }
}

function mostExpensive(costs: readonly Argon2Parameters[]): readonly Argon2Parameters[] {
  const byParallelism = new Map<number, Argon2Parameters>()
  for (const { memoryKib, time, parallelism } of costs) {
    const cost = { memoryKib, time, parallelism }
    const known = byParallelism.get(parallelism)
    if (!known || workOf(cost) > workOf(known)) byParallelism.set(parallelism, cost)
  }
  return [...byParallelism.values()].sort((one, other) => one.parallelism - other.parallelism)
}
