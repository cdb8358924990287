// Counters of a store with the memory of this process behind them, so that a store that is away
// neither opens the door nor shuts it: what this process saw fail it goes on counting by itself.

import { withDeadline } from '../runtime/deadline.ts'
import { DependencyUnavailable } from '../runtime/dependency-unavailable.ts'
import { COUNTERS_DEADLINE_MS, type Counter, type Counters, type Tally } from './counters.ts'

/** How long a store that did not answer is not asked again. */
const PAUSE_MS = 1_000

export interface BackedCountersDependencies {
  readonly store: Counters
  readonly memory: Counters
  /** Called each time that the store did not answer. */
  readonly onAway: (error: DependencyUnavailable) => void
}

/** Never rejects with DependencyUnavailable. A counter stands where it stands highest. */
export function openBackedCounters(dependencies: BackedCountersDependencies): Counters {
  const { store, memory, onAway } = dependencies
  let askedAgainAtMs = Number.NEGATIVE_INFINITY

  /** Undefined while the store is away. */
  async function ask<T>(question: () => Promise<T>): Promise<T | undefined> {
    if (performance.now() < askedAgainAtMs) return undefined
    try {
      return await withDeadline(question(), COUNTERS_DEADLINE_MS, tooLate)
    } catch (error) {
      if (!(error instanceof DependencyUnavailable)) throw error
      // Too much work of our own says nothing about the server: the next call asks it again.
      if (error.because === 'outage') askedAgainAtMs = performance.now() + PAUSE_MS
      onAway(error)
      return undefined
    }
  }

  async function inBoth(
    counters: readonly Counter[],
    question: (asked: Counters) => Promise<readonly Tally[]>,
  ): Promise<readonly Tally[]> {
    const own = await question(memory)
    const shared = await ask(() => question(store))
    return counters.map((_, index) => higher(own[index], shared?.[index]))
  }

  return {
    read: (counters, nowMs) => inBoth(counters, (asked) => asked.read(counters, nowMs)),
    add: (counters, nowMs) => inBoth(counters, (asked) => asked.add(counters, nowMs)),
    async mark(counters, nowMs) {
      await memory.mark(counters, nowMs)
      await ask(() => store.mark(counters, nowMs))
    },
  }
}

const NONE: Tally = { count: 0, leftMs: 0 }

function higher(one: Tally = NONE, other: Tally = NONE): Tally {
  if (one.count !== other.count) return one.count > other.count ? one : other
  return one.leftMs > other.leftMs ? one : other
}

/** The server may be well and only slow to be asked, as in a flood of logins: no outage. */
function tooLate(): DependencyUnavailable {
  return new DependencyUnavailable('redis', 'a counter took too long', 'queue')
}
