// How far a server of Redis has come in the journal, kept in that server itself: one that loses
// writes, is emptied or starts from an older volume says so by its own mark. In a Cluster each node
// has one, under a key in a slot that it serves. Only raised, since instances raise it together;
// versions before had a key of another name, which they also lowered.

import type { Redis } from 'ioredis'
import { loadChangingScript, scriptRunner, sendCommand } from './redis-script.ts'
import { type ServedSlots, slotOf } from './redis-slot.ts'

const raiseScript = loadChangingScript('raise-mark')

export interface JournalMark {
  readonly key: string
  /** Up to when, by the journal's clock, the server has every entry; undefined without a mark. */
  read(): Promise<number | undefined>
  /** The same; sets the mark to the beginning of time where there is none. */
  begin(): Promise<number>
  /** False, and nothing is done, when the mark is not even at `knownMs`. */
  raise(knownMs: number, upToMs: number): Promise<boolean>
}

/** The mark of the server behind `redis`; undefined for a node that serves no slot. */
export function findJournalMark(redis: Redis, served?: ServedSlots): JournalMark | undefined {
  const key = findKey(served)
  if (key === undefined) return undefined
  const run = scriptRunner(redis, 'free')

  async function read(): Promise<number | undefined> {
    const held = await sendCommand(redis, 'get', [key ?? ''], 'free')
    return held === null ? undefined : Number(held)
  }

  return {
    key,
    read,
    async begin() {
      await sendCommand(redis, 'set', [key, 0, 'NX'], 'free')
      return (await read()) ?? 0
    },
    raise: async (knownMs, upToMs) => (await run(raiseScript, [key], [knownMs, upToMs])) === 1,
  }
}

/** The same for every instance as long as the node serves the same slots. */
function findKey(served: ServedSlots | undefined): string | undefined {
  const first = 'lineage:{journal}:mark'
  if (!served || served.has(slotOf(first))) return first
  // So many tries find a key even for a node with a handful of slots.
  for (let i = 1; i < 100_000; i += 1) {
    const key = `lineage:{journal-${i}}:mark`
    if (served.has(slotOf(key))) return key
  }
  return undefined
}
