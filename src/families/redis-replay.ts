// Carries the journal to Redis again: all that a connection's server may lack before its gate
// opens, and between reconnects what an instance that died had committed but not delivered.

import type { Redis } from 'ioredis'
import type { Clock } from '../runtime/clock.ts'
import { applyJournalPayload, type Journal, type JournalEntry } from './journal.ts'
import { JOURNAL_OVERLAP_MS, JOURNAL_REPLAY_MS } from './journal-reader.ts'
import { FAMILY_SCRIPTS, openJournalCommands } from './redis-commands.ts'
import { replyCode } from './redis-failure.ts'
import { type CommandSender, type RunScript, scriptRunner, sendCommand } from './redis-script.ts'

/**
 * Up to when, by the journal's clock, every entry is in Redis. Kept in Redis itself, so that an
 * instance that starts after a long outage knows where it began, and so that a server that loses
 * writes loses this one too.
 */
const SEEN_KEY = 'lineage:{journal}:seen-up-to'
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
  const overClient = scriptRunner(client, 'free')
  const applied = new Map<bigint, number>()
  let seenUpToMs: number | undefined
  let storedUpToMs = 0

  async function loadSeenUpTo(): Promise<number> {
    const stored = await sendCommand(client, 'get', [SEEN_KEY], 'free')
    return stored === null ? clock() - JOURNAL_REPLAY_MS : Number(stored)
  }

  /** By the lesser of two clocks, ours and the journal's, so that neither can cut the window. */
  function startAt(seenMs: number, windowMs: number): number {
    return Math.max(0, Math.min(clock(), seenMs) - windowMs)
  }

  /** Notes how far Redis has come when every entry since `fromMs` is in it. */
  function noteApplied(entries: readonly JournalEntry[], fromMs: number): void {
    // In a Cluster an entry is in Redis only once the node that it belongs to has it.
    if (!entries.every(({ id }) => applied.has(id))) return
    const upToMs = Math.max(seenUpToMs ?? 0, entries.at(-1)?.atMs ?? fromMs)
    seenUpToMs = upToMs
    for (const [id, atMs] of applied) if (atMs < upToMs - JOURNAL_OVERLAP_MS) applied.delete(id)
  }

  async function apply(entries: readonly JournalEntry[], run: RunScript): Promise<void> {
    const commands = openJournalCommands(run)
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
        return await overClient(script, keys, args)
      }
    }
  }

  return {
    async replayOver(redis) {
      await Promise.all(
        FAMILY_SCRIPTS.map(({ lua }) => sendCommand(redis, 'script', ['load', lua], 'free')),
      )
      seenUpToMs ??= await loadSeenUpTo()
      const fromMs = startAt(seenUpToMs, JOURNAL_REPLAY_MS)
      const entries = await journal.readSince(fromMs)
      await apply(entries, overConnection(redis))
      noteApplied(entries, fromMs)
    },

    async applyNewEntries() {
      seenUpToMs ??= await loadSeenUpTo()
      const fromMs = startAt(seenUpToMs, JOURNAL_OVERLAP_MS)
      const entries = await journal.readSince(fromMs)
      await apply(
        entries.filter(({ id }) => !applied.has(id)),
        overClient,
      )
      noteApplied(entries, fromMs)
      if (seenUpToMs <= storedUpToMs) return
      const storingMs = seenUpToMs
      await sendCommand(client, 'set', [SEEN_KEY, storingMs], 'free')
      storedUpToMs = storingMs
    },
  }
}
