// What verifying a password costs. Imported hashes have other schemes and parameters, so the time of a
// login could tell that an account exists and was imported. Every verification therefore does the work
// of all kinds of hashes that any user has (docs/login.md).

import type { Argon2Parameters } from './argon2-parameters.ts'
import { findWork } from './password-hash.ts'
import type { PasswordCost } from './password-scheme.ts'
import { argon2Cost } from './password-work/argon2-work.ts'

/**
 * How many settings of one group are kept, the dearest first. Each is computed at every login, so their
 * number is bounded; a hash with settings beyond them is computed on top of all of these.
 */
export const SETTINGS_MAX = 8

export interface PasswordCosts {
  /**
   * What every login spends, in a fixed order, the configured cost included: of each group the dearest,
   * or, where settings count, the dearest settings.
   */
  list(): readonly PasswordCost[]
  /** Adds the cost of a hash that was just stored or met; the next reload starts anew. */
  include(cost: PasswordCost): void
  /**
   * Reads the costs of all users' hashes. Rejects with DependencyUnavailable; the costs stay then.
   */
  reload(): Promise<void>
}

/** Knows the configured cost alone before the first `reload`. */
export function openPasswordCosts(
  parameters: Argon2Parameters,
  loadStored: () => Promise<readonly PasswordCost[]> = async () => [],
): PasswordCosts {
  const configured = argon2Cost('id', parameters)
  let costs = keepDearest([configured])
  return {
    list: () => costs,
    include(cost) {
      costs = keepDearest([...costs, cost])
    },
    async reload() {
      costs = keepDearest([configured, ...(await loadStored()).filter(findWork)])
    },
  }
}

function keepDearest(costs: readonly PasswordCost[]): readonly PasswordCost[] {
  const sorted = [...costs].sort(
    (one, other) =>
      compareText(one.group, other.group) ||
      other.work - one.work ||
      compareText(one.settings, other.settings),
  )
  const kept: PasswordCost[] = []
  for (const cost of sorted) {
    const ofGroup = kept.filter(({ group }) => group === cost.group)
    const isKnown = ofGroup.some(({ settings }) => settings === cost.settings)
    if (!isKnown && ofGroup.length < SETTINGS_MAX) kept.push(cost)
  }
  return kept
}

function compareText(one: string, other: string): number {
  return one < other ? -1 : Number(one > other)
}
