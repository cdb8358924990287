// How far Redis has come in the journal. Kept in Redis itself, so that an instance that starts
// after a long outage knows where it began, and so that a server that loses writes loses this too.

import type { Clock } from '../runtime/clock.ts'
import type { JournalEntry } from './journal.ts'
import { JOURNAL_OVERLAP_MS, JOURNAL_REPLAY_MS } from './journal-reader.ts'
import { type CommandSender, sendCommand } from './redis-script.ts'

const SEEN_KEY = 'lineage:{journal}:seen-up-to'

export interface JournalProgress {
  /** From when to read, by the journal's clock, to meet the last `windowMs` once more. */
  startAt(windowMs: number): Promise<number>
  isApplied(entry: JournalEntry): boolean
  noteApplied(entry: JournalEntry): void
  /** Moves on over what was read since `fromMs`, if all of it is in Redis by now. */
  advance(entries: readonly JournalEntry[], fromMs: number): void
  /** Tells Redis, when there is news. */
  save(): Promise<void>
}

export function openJournalProgress(client: CommandSender, clock: Clock): JournalProgress {
  /** The youngest applied entries: those that the next read meets again. */
  const applied = new Map<bigint, number>()
  let seenUpToMs: number | undefined
  let savedUpToMs = 0

  async function load(): Promise<number> {
    const saved = await sendCommand(client, 'get', [SEEN_KEY], 'free')
    return saved === null ? clock() - JOURNAL_REPLAY_MS : Number(saved)
  }

  return {
    async startAt(windowMs) {
      seenUpToMs ??= await load()
      // The lesser of two clocks, ours and the journal's, so that neither can cut the window.
      return Math.max(0, Math.min(clock(), seenUpToMs) - windowMs)
    },

    isApplied: ({ id }) => applied.has(id),

    noteApplied({ id, atMs }) {
      applied.set(id, atMs)
    },

    advance(entries, fromMs) {
      // In a Cluster an entry is in Redis only once the node that it belongs to has it.
      if (!entries.every(({ id }) => applied.has(id))) return
      seenUpToMs = Math.max(seenUpToMs ?? 0, entries.at(-1)?.atMs ?? fromMs)
      for (const [id, atMs] of applied) {
        if (atMs < seenUpToMs - JOURNAL_OVERLAP_MS) applied.delete(id)
      }
    },

    async save() {
      const upToMs = seenUpToMs ?? 0
      if (upToMs <= savedUpToMs) return
      await sendCommand(client, 'set', [SEEN_KEY, upToMs], 'free')
      savedUpToMs = upToMs
    },
  }
}
