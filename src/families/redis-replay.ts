// Carries the journal to Redis again: all that a connection's server may lack before its gate
// opens, and between reconnects what an instance that died had committed but not delivered.

import type { Redis } from 'ioredis'
import type { Clock } from '../runtime/clock.ts'
import { applyJournalPayload, type Journal, type JournalEntry } from './journal.ts'
import { JOURNAL_OVERLAP_MS, JOURNAL_REPLAY_MS } from './journal-reader.ts'
import { FAMILY_SCRIPTS, openJournalCommands } from './redis-commands.ts'
import { replyCode } from './redis-failure.ts'
import { type RunScript, scriptRunner, sendCommand } from './redis-script.ts'

const BATCH_SIZE = 500

export interface JournalReplay {
  /** The last 15 minutes and every entry not yet seen, over one connection only. */
  replayOver(redis: Redis): Promise<void>
  /** Every entry not yet seen, wherever it belongs. */
  applyNewEntries(): Promise<void>
}

/** `run` reaches whatever node a key belongs to, past closed gates. */
export function openJournalReplay(
  journal: Pick<Journal, 'readSince'>,
  clock: Clock,
  run: RunScript,
): JournalReplay {
  /** All up to here are in Redis; nothing is known at first, so all that is kept is read. */
  let seenUpToMs = 0
  const applied = new Map<bigint, number>()

  function noteApplied(entries: readonly JournalEntry[]): void {
    const last = entries.at(-1)
    // In a Cluster an entry counts only once the node that it belongs to has it.
    if (!last || !entries.every(({ id }) => applied.has(id))) return
    seenUpToMs = Math.max(seenUpToMs, last.atMs)
    for (const [id, atMs] of applied) if (atMs < seenUpToMs - JOURNAL_OVERLAP_MS) applied.delete(id)
  }

  async function apply(entries: readonly JournalEntry[], runOne: RunScript): Promise<void> {
    const commands = openJournalCommands(runOne)
    for (let from = 0; from < entries.length; from += BATCH_SIZE) {
      // Written in order on one connection, so "all but this" meets its epochs in order.
      const batch = entries.slice(from, from + BATCH_SIZE).map(async ({ id, atMs, payload }) => {
        try {
          await applyJournalPayload(payload, commands, clock())
          applied.set(id, atMs)
        } catch (error) {
          // The slot lies on another node, which is given the entry over its own connection.
          if (replyCode(error) !== 'MOVED') throw error
        }
      })
      await Promise.all(batch)
    }
  }

  /** Over this connection; a slot that is just moving away is reached the long way round. */
  function overConnection(redis: Redis): RunScript {
    const direct = scriptRunner(redis, 'free')
    return async (script, keys, args) => {
      try {
        return await direct(script, keys, args)
      } catch (error) {
        if (!['ASK', 'TRYAGAIN'].includes(replyCode(error) ?? '')) throw error
        return await run(script, keys, args)
      }
    }
  }

  return {
    async replayOver(redis) {
      await Promise.all(
        FAMILY_SCRIPTS.map(({ lua }) => sendCommand(redis, 'script', ['load', lua], 'free')),
      )
      // The lesser of the two clocks, ours and the journal's, so that neither cuts the window.
      const fromMs = Math.min(clock(), seenUpToMs) - JOURNAL_REPLAY_MS
      const entries = await journal.readSince(Math.max(0, fromMs))
      await apply(entries, overConnection(redis))
      noteApplied(entries)
    },

    async applyNewEntries() {
      const entries = await journal.readSince(Math.max(0, seenUpToMs - JOURNAL_OVERLAP_MS))
      await apply(
        entries.filter(({ id }) => !applied.has(id)),
        run,
      )
      noteApplied(entries)
    },
  }
}
