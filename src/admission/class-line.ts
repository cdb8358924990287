// The line of one class: work that waits to be begun, for callers who may hang up meanwhile.

import { AsyncResource } from 'node:async_hooks'
import type { Clock } from '../runtime/clock.ts'
import type { LoadClass } from './load-class.ts'
import type { TurnAway } from './turn-away.ts'
import { openWaitingLine } from './waiting-line.ts'

/** What a caller asks for. */
export interface Work<T> {
  readonly begin: () => Promise<T>
  /** Whether the caller has hung up, whom nobody answers: then the work is never begun. */
  readonly hasLeft: () => boolean
}

export interface ClassLine {
  /** Resolves with what the work brings once it was begun; throws OAuthError `overloaded` if never. */
  wait<T>(work: Work<T>): Promise<T>
  /** Begins the work of whoever is next and has not waited too long; false when nobody is. */
  beginNext(): boolean
  /** Turns away who has waited too long. */
  expire(): void
  size(): number
}

interface Entry {
  begin(): void
  turnAway(): void
  hasLeft(): boolean
}

export interface ClassLineOptions {
  readonly turnAway: Pick<TurnAway, 'refuse'>
  readonly clock: Clock
}

export function openClassLine(
  loadClass: LoadClass,
  { turnAway, clock }: ClassLineOptions,
): ClassLine {
  const line = openWaitingLine<Entry>()

  function expire(): void {
    for (const entry of line.expire(clock())) if (!entry.hasLeft()) entry.turnAway()
  }

  return {
    wait: ({ begin, hasLeft }) =>
      new Promise((resolve, reject) => {
        // Whoever makes room is another request, whose span this work is no part of.
        const asked = new AsyncResource('WAITING', { requireManualDestroy: true })
        const entry: Entry = {
          begin: () => asked.runInAsyncScope(() => void begin().then(resolve, reject)),
          turnAway: () => void turnAway.refuse(loadClass).catch(reject),
          hasLeft,
        }
        if (!line.add(entry, clock())) entry.turnAway()
      }),
    beginNext() {
      // After a standstill, nobody has heard yet which of those that waited have hung up meanwhile.
      expire()
      const nowMs = clock()
      for (let entry = line.take(nowMs); entry; entry = line.take(nowMs)) {
        if (entry.hasLeft()) continue
        entry.begin()
        return true
      }
      return false
    },
    expire,
    size: line.size,
  }
}
