// What is no refresh is begun at the end of a turn of the event loop, when all that has come was read:
// as many as fit into a moment, but one alone while a refresh is under way. The longer the turns are,
// because of refreshes, the fewer others there are; and no refresh waits for more than a moment of them.

import type { Clock } from '../runtime/clock.ts'
import type { ClassLine } from './class-line.ts'

/** How long the others may hold the event loop in one turn, where no refresh is under way. */
const SLICE_MS = 1

export interface SpareTurnsOptions {
  /** Those of the first are served before those of the second, and so on. */
  readonly lines: readonly ClassLine[]
  /** Whether something is under way that must not wait. */
  readonly isBusy: () => boolean
  readonly clock: Clock
}

/** Returns what to call when somebody has joined a line. */
export function openSpareTurns({ lines, isBusy, clock }: SpareTurnsOptions): () => void {
  let isAsked = false

  function takeTurn(): void {
    isAsked = false
    const untilMs = clock() + SLICE_MS
    const beginOne = () => {
      if (!beginNext()) return
      if (isBusy() || clock() >= untilMs) endTurn()
      else afterAllThatIsReady(beginOne)
    }
    beginOne()
  }

  function endTurn(): void {
    for (const line of lines) line.expire()
    if (lines.some((line) => line.size() > 0)) ask()
  }

  function beginNext(): boolean {
    return lines.some((line) => line.beginNext())
  }

  function ask(): void {
    if (isAsked) return
    isAsked = true
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
