// What one or more servers of Redis hold of Lineage, counted by the names of the keys: a part of them where
// there are many. Reads, and nothing else.

import type { Redis } from 'ioredis'
import { findJournalMark } from '../../families/redis/redis-journal-mark.ts'
import { readServedSlots } from '../../families/redis/redis-slot.ts'

const PAGE_KEYS = 1_000
/** Of each server; beyond that the counts are those of a part, multiplied. */
const KEYS_MAX = 200_000

/** By the first that fits. */
const KINDS = [
  ['families', /^lineage:\{u:[^}]*\}:f:/],
  ['revokedTokens', /^lineage:\{[uc]:[^}]*\}:t:/],
  ['users', /^lineage:\{u:/],
  ['marks', /^lineage:\{journal/],
  ['counters', /^lineage:throttle:/],
  ['usedOnce', /^lineage:(once|uses):/],
  ['otherKeys', /^lineage:/],
  ['foreignKeys', /^/],
] as const

type Kind = (typeof KINDS)[number][0]

export interface RedisContents extends Readonly<Record<Kind, number>> {
  /** Whether the numbers are those of a part, multiplied. */
  readonly isEstimate: boolean
}

/** Rejects with the errors of ioredis. */
export async function countContents(masters: readonly Redis[]): Promise<RedisContents> {
  const counts = Object.fromEntries(KINDS.map(([kind]) => [kind, 0])) as Record<Kind, number>
  let isEstimate = false
  for (const master of masters) {
    const { names, all } = await readNames(master)
    const factor = names.length === 0 ? 0 : Math.max(1, all / names.length)
    isEstimate ||= names.length >= KEYS_MAX
    for (const name of names) {
      const [kind] = KINDS.find(([, pattern]) => pattern.test(name)) ?? ['foreignKeys']
      counts[kind] += factor
    }
  }
  const rounded = KINDS.map(([kind]) => [kind, Math.round(counts[kind])])
  return { ...(Object.fromEntries(rounded) as Record<Kind, number>), isEstimate }
}

async function readNames(
  master: Redis,
): Promise<{ readonly names: readonly string[]; readonly all: number }> {
  // A name may come twice.
  const names = new Set<string>()
  let cursor = '0'
  do {
    const [next, page] = await master.scan(cursor, 'COUNT', PAGE_KEYS)
    cursor = next
    for (const name of page) names.add(name)
  } while (cursor !== '0' && names.size < KEYS_MAX)
  const all = cursor === '0' ? names.size : await master.dbsize()
  return { names: [...names], all }
}

/** Up to when each server has the journal, by its own mark, in epoch milliseconds; undefined without one. */
export async function readMarks(
  masters: readonly Redis[],
  isCluster: boolean,
): Promise<readonly (number | undefined)[]> {
  return await Promise.all(
    masters.map(async (master) => {
      const served = isCluster ? await readServedSlots(master) : undefined
      return await findJournalMark(master, served)?.read()
    }),
  )
}
