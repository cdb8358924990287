// Carries the journal to Redis again: all that a connection's server may lack before its gate
// opens, and between reconnects what an instance that died had committed but not delivered.

import type { Redis } from 'ioredis'
import type { Clock } from '../runtime/clock.ts'
import { applyJournalPayload, type Journal, type JournalEntry } from './journal.ts'
import { JOURNAL_OVERLAP_MS, JOURNAL_REPLAY_MS } from './journal-reader.ts'
import { FAMILY_SCRIPTS, openJournalCommands } from './redis-commands.ts'
import { replyCode } from './redis-failure.ts'
import { openJournalProgress } from './redis-journal-progress.ts'
import { type CommandSender, type RunScript, scriptRunner, sendCommand } from './redis-script.ts'

const BATCH_SIZE = 500

export interface JournalReplay {
  /** The last 15 minutes and every entry not yet seen, over one connection only. */
  replayOver(redis: Redis): Promise<void>
  /** Every entry not yet seen, wherever it belongs. */
  applyNewEntries(): Promise<void>
}

/** `client` reaches whatever node a key belongs to. */
export function openJournalReplay(
  journal: Pick<Journal, 'readSince'>,
  clock: Clock,
  client: CommandSender,
): JournalReplay {
  const progress = openJournalProgress(client, clock)

  async function apply(entries: readonly JournalEntry[], run: RunScript): Promise<void> {
    const commands = openJournalCommands(run)
    for (let from = 0; from < entries.length; from += BATCH_SIZE) {
      // Written in order on one connection, so "all but this" meets its epochs in order.
      const batch = entries.slice(from, from + BATCH_SIZE).map(async (entry) => {
        try {
          await applyJournalPayload(entry.payload, commands, clock())
          progress.noteApplied(entry)
        } catch (error) {
          // The slot lies on another node, which is given the entry over its own connection.
          if (replyCode(error) !== 'MOVED') throw error
        }
      })
      await Promise.all(batch)
    }
  }

  return {
    async replayOver(redis) {
      // A script that had to be sent again would be overtaken by what was written after it.
      await Promise.all(
        FAMILY_SCRIPTS.map(({ lua }) => sendCommand(redis, 'script', ['load', lua], 'free')),
      )
      const fromMs = await progress.startAt(JOURNAL_REPLAY_MS)
      const entries = await journal.readSince(fromMs)
      await apply(entries, connectionRunner(redis, client))
      progress.advance(entries, fromMs)
    },

    async applyNewEntries() {
      const fromMs = await progress.startAt(JOURNAL_OVERLAP_MS)
      const entries = await journal.readSince(fromMs)
      const missing = entries.filter((entry) => !progress.isApplied(entry))
      await apply(missing, scriptRunner(client, 'free'))
      progress.advance(entries, fromMs)
      await progress.save()
    },
  }
}

/** Over one connection; a slot that is just moving away from it is reached the long way round. */
function connectionRunner(redis: Redis, client: CommandSender): RunScript {
  const runHere = scriptRunner(redis, 'free')
  const runAnywhere = scriptRunner(client, 'free')
  return async (script, keys, args) => {
    try {
      return await runHere(script, keys, args)
    } catch (error) {
      if (!['ASK', 'TRYAGAIN'].includes(replyCode(error) ?? '')) throw error
      return await runAnywhere(script, keys, args)
    }
  }
}
