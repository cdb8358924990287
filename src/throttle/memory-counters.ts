// Counters in the memory of one process, bounded: for while the store is away.

import type { Counter, Counters, Tally } from './counters.ts'

/** About 20 MB of memory at most. */
const COUNTERS_MAX = 100_000

interface Entry {
  count: number
  endsAtMs: number
}

export function openMemoryCounters(countersMax = COUNTERS_MAX): Counters {
  /** In the order in which they began, so the first is the one to make room. */
  const entries = new Map<string, Entry>()

  function find(key: string, nowMs: number): Entry | undefined {
    const entry = entries.get(key)
    if (!entry || entry.endsAtMs > nowMs) return entry
    entries.delete(key)
    return undefined
  }

  function begin(key: string, endsAtMs: number): Entry {
    const [oldest] = entries.keys()
    if (oldest !== undefined && entries.size >= countersMax) entries.delete(oldest)
    const entry = { count: 0, endsAtMs }
    entries.set(key, entry)
    return entry
  }

  const tallyOf = (entry: Entry | undefined, nowMs: number): Tally =>
    entry ? { count: entry.count, leftMs: entry.endsAtMs - nowMs } : { count: 0, leftMs: 0 }

  return {
    async read(counters, nowMs) {
      return counters.map((counter) => tallyOf(find(keyOf(counter), nowMs), nowMs))
    },
    async add(counters, nowMs) {
      return counters.map((counter) => {
        const key = keyOf(counter)
        const entry = find(key, nowMs) ?? begin(key, nowMs + counter.windowMs)
        entry.count += 1
        return tallyOf(entry, nowMs)
      })
    },
    async mark(counters, nowMs) {
      for (const counter of counters) {
        const key = keyOf(counter)
        entries.delete(key)
        begin(key, nowMs + counter.windowMs).count = 1
      }
    },
  }
}

function keyOf({ group, name }: Counter): string {
  return `${group}:${name}`
}
