// What is no refresh is begun at the end of a turn of the event loop, when all that has come was read:
// as many as fit into a moment, but one alone while a refresh is under way, and none after a turn that
// was long. The longer the turns are, because of refreshes, the fewer others there are; and no refresh
// waits for more than a moment of them.

import type { Clock } from '../runtime/clock.ts'
import type { ClassLine } from './class-line.ts'

/** How long the others may hold the event loop in one turn, where no refresh is under way. */
const SLICE_MS = 1
/** A turn that took longer has had enough to do: refreshes already wait for each other. */
const LONG_TURN_MS = 1

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
  readonly clock: Clock
}

/** Returns what to call when somebody has joined a line. */
export function openSpareTurns({ lines, isBusy, clock }: SpareTurnsOptions): () => void {
  const openedAtMs = clock()
  const begunAtMs = new Map<SpareLine, number>()
  let isAsked = false
  let askedAtMs = 0

  function takeTurn(): void {
    isAsked = false
    const startMs = clock()
    const isLong = startMs - askedAtMs > LONG_TURN_MS
    const beginOne = () => {
      if (!beginNext(isLong && isBusy())) return endTurn()
      if (isBusy() || clock() >= startMs + SLICE_MS) endTurn()
      else afterAllThatIsReady(beginOne)
    }
    beginOne()
  }

  function endTurn(): void {
    for (const { line } of lines) line.expire()
    if (lines.some(({ line }) => line.size() > 0)) ask()
  }

  function beginNext(isLateTurn: boolean): boolean {
    const nowMs = clock()
    const isDue = (spare: SpareLine) =>
      nowMs - (begunAtMs.get(spare) ?? openedAtMs) >= spare.atLeastEveryMs
    const isFree = (spare: SpareLine) => !isLateTurn && !spare.hasToGiveWay(nowMs)
    const begin = (spare: SpareLine) => {
      if (!spare.line.beginNext()) return false
      begunAtMs.set(spare, nowMs)
      return true
    }
    return lines.filter(isDue).some(begin) || lines.filter(isFree).some(begin)
  }

  function ask(): void {
    if (isAsked) return
    isAsked = true
    askedAtMs = clock()
    setImmediate(takeTurn)
  }

  return ask
}

/**
 * Calls `next` when what was begun has come to its end or to where it waits for somebody: promises that
 * are settled are seen to first.
 */
function afterAllThatIsReady(next: () => void): void {
  queueMicrotask(() => process.nextTick(next))
}
