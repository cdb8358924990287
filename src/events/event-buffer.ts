// The events that are not written yet: bounded, in order, and the same ones again until they are
// written. No time, no I/O.

import { type AuditEvent, mergeEvents } from './audit-event.ts'

const BATCH_MAX = 100

export interface EventBuffer {
  /** A further report of an event that waits is merged with it; a new event may find no room. */
  add(event: AuditEvent): void
  /** What to write now: the same events until `written` or `refused` says how that went. */
  next(): readonly AuditEvent[]
  written(): void
  /** The database refuses one of them: true when there was only one, which is lost. */
  refused(): boolean
  /** How many are not written. */
  size(): number
  /** Whether waiting for more would make no larger batch; not while a batch is tried again. */
  hasFullBatch(): boolean
  /** How many found no room or were refused since the last call. */
  takeLost(): number
}

export function openEventBuffer(waitingMax: number): EventBuffer {
  /** By id, in order of arrival. */
  const waiting = new Map<string, AuditEvent>()
  let taken: readonly AuditEvent[] = []
  let partMax = BATCH_MAX
  let lost = 0

  return {
    add(event) {
      const same = waiting.get(event.id)
      // The report of a gap must not fall into the next one.
      const hasRoom = waiting.size < waitingMax || event.type === 'events.dropped'
      if (same) waiting.set(event.id, mergeEvents(same, event))
      else if (hasRoom) waiting.set(event.id, event)
      else lost += 1
    },

    next() {
      if (taken.length === 0) {
        taken = [...waiting.values()].slice(0, BATCH_MAX)
        for (const { id } of taken) waiting.delete(id)
        partMax = BATCH_MAX
      }
      return taken.slice(0, partMax)
    },

    written() {
      taken = taken.slice(partMax)
    },

    refused() {
      const isAlone = Math.min(taken.length, partMax) === 1
      if (isAlone) {
        lost += 1
        taken = taken.slice(1)
      }
      // Alone, each of the others passes.
      partMax = 1
      return isAlone
    },

    size: () => waiting.size + taken.length,
    hasFullBatch: () => waiting.size >= BATCH_MAX && taken.length === 0,

    takeLost() {
      const count = lost
      lost = 0
      return count
    },
  }
}
