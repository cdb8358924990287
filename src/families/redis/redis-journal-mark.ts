// How far a server of Redis has come in the journal, kept in that server itself: one that loses
// writes, is emptied or starts from an older volume says so by its own mark. In a Cluster each node
// has one, under a key in a slot that it serves. It is only ever raised, because all instances
// raise it. Its name changes with the layout of what is stored: a mark of a release that stored
// it otherwise must not say that this one's keys are there.

import type { Redis } from 'ioredis'
import { replyCode } from '../../redis/redis-failure.ts'
import { scriptRunner, sendCommand } from '../../redis/redis-script.ts'
import { loadBareScript } from './family-script.ts'
import { type ServedSlots, slotOf } from './redis-slot.ts'

const raiseScript = loadBareScript('changing', 'raise-mark')

/** Less than the time of any entry. */
export const NO_MARK = -1

export interface JournalMark {
  readonly key: string
  /** Up to when, by the journal's clock, the server has every entry; undefined without a mark. */
  read(): Promise<number | undefined>
  /** As `read`, but sets a missing mark to 0; answers NO_MARK if that is not possible. */
  begin(): Promise<number>
  /** Gives the mark afterwards. Undefined, and nothing is done, when it was below `knownMs`. */
  raise(knownMs: number, upToMs: number): Promise<number | undefined>
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
      const held = await read()
      if (held !== undefined) return held
      await unlessFull(() => sendCommand(redis, 'set', [key, 0, 'NX'], 'free'))
      return (await read()) ?? NO_MARK
    },
    async raise(knownMs, upToMs) {
      const reply = await unlessFull(() => run(raiseScript, [key], [knownMs, upToMs]))
      if (reply === undefined) return knownMs
      return reply === null ? undefined : Number(reply)
    },
  }
}

/**
 * Undefined when the server has no memory left. It can still be used: a mark that is behind only
 * makes the next reading of the journal longer.
 */
async function unlessFull<T>(write: () => Promise<T>): Promise<T | undefined> {
  try {
    return await write()
  } catch (error) {
    if (replyCode(error) !== 'OOM') throw error
    return undefined
  }
}

/** Every instance finds the same key as long as the node serves the same slots. */
function findKey(served: ServedSlots | undefined): string | undefined {
  const first = 'lineage:{journal}:applied'
  if (!served || served.has(slotOf(first))) return first
  // So many tries find a key even for a node with a handful of slots.
  for (let i = 1; i < 100_000; i += 1) {
    const key = `lineage:{journal-${i}}:applied`
    if (served.has(slotOf(key))) return key
  }
  return undefined
}
