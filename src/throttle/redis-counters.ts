// Counters in Redis: one script a group, and the groups of one call sent together, because in a Cluster
// each has a slot of its own.

import { readFileSync } from 'node:fs'
import { openScript, type RunScript } from '../redis/redis-script.ts'
import type { Counter, Counters, Tally } from './counters.ts'

const LUA = readFileSync(new URL('./lua/count.lua', import.meta.url), 'utf8')
/** `adding`: a full Redis refuses to count, and memory counts then. */
const SCRIPTS = {
  read: openScript('count-read', 'reading', LUA),
  add: openScript('count-add', 'adding', LUA),
  mark: openScript('count-mark', 'adding', LUA),
}

/** `run` rejects with DependencyUnavailable. */
export function openRedisCounters(run: RunScript): Counters {
  async function count(
    doing: keyof typeof SCRIPTS,
    counters: readonly Counter[],
    nowMs: number,
  ): Promise<readonly Tally[]> {
    const groups = new Set(counters.map(({ group }) => group))
    const tallies = new Map<Counter, Tally>()
    const asking = [...groups].map(async (group) => {
      const members = counters.filter((counter) => counter.group === group)
      const keys = members.map(({ name }) => `lineage:throttle:{${group}}:${name}`)
      const windows = members.map(({ windowMs }) => windowMs)
      const reply = (await run(SCRIPTS[doing], keys, [nowMs, doing, ...windows])) as number[]
      for (const [index, counter] of members.entries()) {
        const [found = 0, leftMs = 0] = reply.slice(index * 2)
        tallies.set(counter, { count: found, leftMs })
      }
    })
    await Promise.all(asking)
    return counters.map((counter) => tallies.get(counter) ?? { count: 0, leftMs: 0 })
  }

  return {
    read: (counters, nowMs) => count('read', counters, nowMs),
    add: (counters, nowMs) => count('add', counters, nowMs),
    async mark(counters, nowMs) {
      await count('mark', counters, nowMs)
    },
  }
}
