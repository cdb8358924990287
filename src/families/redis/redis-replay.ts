// Applies the journal to one server of Redis, over one connection: before the gate opens everything
// that the server may lack, and later the entries of instances that died before applying them.

import type { Redis } from 'ioredis'
import { replyCode } from '../../redis/redis-failure.ts'
import {
  type CommandSender,
  type RunScript,
  scriptRunner,
  sendCommand,
} from '../../redis/redis-script.ts'
import type { Clock } from '../../runtime/clock.ts'
import { DependencyUnavailable } from '../../runtime/dependency-unavailable.ts'
import { applyJournalPayload, type Journal, type JournalEntry } from '../journal.ts'
import { JOURNAL_OVERLAP_MS, openSeenEntries } from '../seen-entries.ts'
import { FAMILY_SCRIPTS, openJournalCommands } from './redis-commands.ts'
import { findJournalMark, type JournalMark, NO_MARK } from './redis-journal-mark.ts'
import { keysOf } from './redis-keys.ts'
import { readServedSlots, type ServedSlots, slotOf } from './redis-slot.ts'

const BATCH_SIZE = 500
/**
 * How far before its mark a node of a Cluster is told again: a slot that came from another node may
 * lack what only that node's mark would have shown.
 */
const MOVED_SLOTS_MS = 15 * 60 * 1000

export interface JournalReplay {
  /** Every entry that the server has not seen by its own mark. */
  replay(): Promise<void>
  /**
   * Every entry not yet seen. `lost` when the server has lost what it held, though the connection
   * lived on: everything must be re-applied then.
   */
  catchUp(): Promise<'seen' | 'lost'>
  /** How many slots of a Cluster the node served when it was last asked. */
  servedSlots(): number
}

export interface JournalReplayDependencies {
  readonly journal: Pick<Journal, 'readSince'>
  readonly clock: Clock
  readonly redis: Redis
  /**
   * The client of the whole Cluster, for slots that are just moving; undefined without a Cluster.
   */
  readonly cluster: CommandSender | undefined
  /** Told how many entries were applied that the server did not have by its own mark. */
  readonly onReplayed: ((count: number) => void) | undefined
}

export function openJournalReplay(dependencies: JournalReplayDependencies): JournalReplay {
  const { journal, clock, redis, cluster, onReplayed } = dependencies
  const seen = openSeenEntries(0, clock)
  const commands = openJournalCommands(connectionRunner(redis, cluster))
  let running: Promise<unknown> = Promise.resolve()
  let slots = 0
  let known: { readonly key: string; readonly markMs: number } | undefined

  /** `replay` and `catchUp` share what they have seen, so they run one after the other. */
  function exclusively<T>(work: () => Promise<T>): Promise<T> {
    const done = running.then(work)
    running = done.catch(() => {})
    return done
  }

  async function apply(entry: JournalEntry): Promise<void> {
    try {
      await applyJournalPayload(entry.payload, commands, clock())
      seen.add(entry)
    } catch (error) {
      // The slot has moved to another node, whose own connection applies the entry there.
      if (replyCode(error) !== 'MOVED') throw error
      seen.pass(entry)
    }
  }

  async function applySince(fromMs: number, isWanted: (entry: JournalEntry) => boolean) {
    const { stream } = redis
    for await (const page of journal.readSince(fromMs)) {
      if (redis.stream !== stream) throw new DependencyUnavailable('redis', 'connection lost')
      const wanted: JournalEntry[] = []
      for (const entry of page) {
        if (isWanted(entry)) wanted.push(entry)
        else seen.pass(entry)
      }
      // Commands keep their order on one connection, so a user's epochs arrive in order.
      for (let from = 0; from < wanted.length; from += BATCH_SIZE) {
        await Promise.all(wanted.slice(from, from + BATCH_SIZE).map(apply))
      }
    }
  }

  async function findMark() {
    const served = cluster && (await readServedSlots(redis))
    slots = served?.count ?? 0
    return { served, mark: findJournalMark(redis, served) }
  }

  async function raise(mark: JournalMark, knownMs: number): Promise<boolean> {
    const markMs = seen.upToMs > knownMs ? await mark.raise(knownMs, seen.upToMs) : knownMs
    if (markMs === undefined) return false
    known = { key: mark.key, markMs }
    return true
  }

  async function replay(): Promise<void> {
    await loadScripts(redis)
    const { served, mark } = await findMark()
    if (!mark) return
    const markMs = await mark.begin()
    // After a lost connection alone: what is applied twice then was there.
    const isAsKnown = known?.key === mark.key && markMs >= known.markMs
    const doneMs = Math.min(clock(), markMs, known?.markMs ?? markMs)
    seen.restart(doneMs)
    const lookBackMs = cluster ? MOVED_SLOTS_MS : JOURNAL_OVERLAP_MS
    let lacked = 0
    await applySince(Math.max(0, doneMs - lookBackMs), ({ payload, atMs }) => {
      // Logins are many. Those that the mark covers are in the server, so they are not applied
      // again.
      if (payload.kind === 'created' && atMs < doneMs - JOURNAL_OVERLAP_MS) return false
      const isWanted = belongs(payload, served)
      if (isWanted && atMs > markMs) lacked += 1
      return isWanted
    })
    if (!isAsKnown) onReplayed?.(lacked)
    if (!(await raise(mark, markMs))) {
      throw new DependencyUnavailable('redis', 'it was emptied while the journal was re-applied')
    }
  }

  async function catchUp(): Promise<'seen' | 'lost'> {
    const { served, mark } = await findMark()
    if (!mark) return 'seen'
    // After slots have moved the node's mark has another key; its server has lost nothing by that.
    const knownMs = known?.key === mark.key ? known.markMs : await mark.begin()
    if (((await mark.read()) ?? NO_MARK) < knownMs) return 'lost'
    await applySince(
      seen.readFromMs(),
      (entry) => !seen.has(entry) && belongs(entry.payload, served),
    )
    return (await raise(mark, knownMs)) ? 'seen' : 'lost'
  }

  return {
    replay: () => exclusively(replay),
    catchUp: () => exclusively(catchUp),
    servedSlots: () => slots,
  }
}

/** Before the journal: a script that had to be sent a second time would run after later entries. */
async function loadScripts(redis: Redis): Promise<void> {
  await Promise.all(
    FAMILY_SCRIPTS.map(({ lua }) => sendCommand(redis, 'script', ['load', lua], 'free')),
  )
}

/** Whether the entry's keys are in slots that the node serves; always true without a Cluster. */
function belongs(payload: JournalEntry['payload'], served: ServedSlots | undefined): boolean {
  if (!served) return true
  switch (payload.kind) {
    case 'user':
      return served.has(slotOf(keysOf(payload.record).user))
    case 'family':
      return served.has(slotOf(keysOf({ userId: payload.end.userId }).user))
    case 'token':
      return served.has(slotOf(keysOf(payload.token.owner).user))
    case 'created':
      return served.has(slotOf(keysOf({ userId: payload.login.user.userId }).user))
    default:
      // A kind of a newer release: instances of that release apply it.
      return false
  }
}

/** Over one connection; a slot that is moving away is reached through the whole Cluster. */
function connectionRunner(redis: Redis, cluster: CommandSender | undefined): RunScript {
  const runHere = scriptRunner(redis, 'free')
  if (!cluster) return runHere
  const runAnywhere = scriptRunner(cluster, 'free')
  return async (script, keys, args) => {
    try {
      return await runHere(script, keys, args)
    } catch (error) {
      if (!['ASK', 'TRYAGAIN'].includes(replyCode(error) ?? '')) throw error
      return await runAnywhere(script, keys, args)
    }
  }
}
