// What is no refresh is begun at the end of a turn of the event loop, when all that has come was read: as many as
// fit into a moment, but one alone while a refresh is under way, and where there are refreshes only out of what
// they leave (spare-time.ts). So no refresh waits for more than a moment of the others, and neither the stores nor
// the machine below are kept from work by an event loop that never rests.

import type { Clock } from '../runtime/clock.ts'
import type { ClassLine } from './class-line.ts'

/** How long the others may hold the event loop in one turn, where no refresh is under way. */
const SLICE_MS = 1
/** When it is looked again where nobody could begin. To look in each turn would leave the event loop no rest. */
const LOOK_AGAIN_MS = 1

/** A line that shares what refreshes leave, and who comes before it. */
export interface SpareLine {
  readonly line: ClassLine
  /** Whether somebody of a class that comes before it is turned away, so that it has to give way. */
  readonly hasToGiveWay: (nowMs: number) => boolean
  /** After so long one of it is begun whatever goes on: no class is shut out for good. */
  readonly atLeastEveryMs: number
}

export interface SpareTurnsOptions {
  /** Those of the first are served before those of the second, and so on. */
  readonly lines: readonly SpareLine[]
  /** Whether something is under way that must not wait. */
  readonly isBusy: () => boolean
  /** Whether there is time for others than refreshes. */
  readonly hasTime: () => boolean
  readonly clock: Clock
}

/** Returns what to call when somebody has joined a line. */
export function openSpareTurns(options: SpareTurnsOptions): () => void {
  const { lines, isBusy, hasTime, clock } = options
  const openedAtMs = clock()
  const begunAtMs = new Map<SpareLine, number>()
  let isAsked = false

  function takeTurn(): void {
    isAsked = false
    const startMs = clock()
    const isFree = hasTime()
    const beginOne = () => {
      if (!beginNext(isFree)) return endTurn(LOOK_AGAIN_MS)
      if (isBusy() || clock() >= startMs + SLICE_MS) endTurn(0)
      else afterAllThatIsReady(beginOne)
    }
    beginOne()
  }

  function endTurn(pauseMs: number): void {
    for (const { line } of lines) line.expire()
    if (lines.some(({ line }) => line.size() > 0)) ask(pauseMs)
  }

  function beginNext(isFree: boolean): boolean {
    const nowMs = clock()
    const isDue = (spare: SpareLine) =>
      nowMs - (begunAtMs.get(spare) ?? openedAtMs) >= spare.atLeastEveryMs
    const mayBegin = (spare: SpareLine) => isFree && !spare.hasToGiveWay(nowMs)
    const begin = (spare: SpareLine) => {
      if (!spare.line.beginNext()) return false
      begunAtMs.set(spare, nowMs)
      return true
    }
    return lines.filter(isDue).some(begin) || lines.filter(mayBegin).some(begin)
  }

  function ask(pauseMs: number): void {
    if (isAsked) return
    isAsked = true
    // Whoever waits has a connection, which keeps the process from its end for as long.
    if (pauseMs > 0) setTimeout(takeTurn, pauseMs).unref()
    else setImmediate(takeTurn)
  }

  return () => ask(0)
}

/**
 * Calls `next` when what was begun has come to its end or to where it waits for somebody: promises that
 * are settled are seen to first.
 */
function afterAllThatIsReady(next: () => void): void {
  queueMicrotask(() => process.nextTick(next))
}
