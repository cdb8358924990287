// The events that are not written yet, in order and bounded in number. Gives out the same batch
// again until that was written or refused. No time, no I/O.

import type { SecurityEventType } from '../runtime/security-event.ts'
import { type AuditEvent, mergeEvents } from './audit-event.ts'

const BATCH_MAX = 100

export interface EventBuffer {
  /**
   * A further report of an event that waits is merged with it. When the buffer is full, the type
   * with the most waiting events loses its newest one, so that a flood of one type takes no room
   * from the others.
   */
  add(event: AuditEvent): void
  /** What to write now: the same events until `written` or `refused` says how that went. */
  next(): readonly AuditEvent[]
  written(): void
  /**
   * The database refused what `next` gave. A single event is lost, and the answer is true; of a
   * batch `next` gives one event at a time from now on, so that only the refused one is lost.
   */
  refused(): boolean
  /** How many are not written. */
  size(): number
  /** Whether enough events wait for a whole batch, and none is being tried again. */
  hasFullBatch(): boolean
  /** How many found no room or were refused since the last call. */
  takeLost(): number
}

export function openEventBuffer(waitingMax: number): EventBuffer {
  /** By id, in order of arrival. */
  const waiting = new Map<string, AuditEvent>()
  /** The ids of `waiting` by type, each in order of arrival. */
  const idsByType = new Map<SecurityEventType, string[]>()
  let taken: readonly AuditEvent[] = []
  let partMax = BATCH_MAX
  let lost = 0

  function idsOf(type: SecurityEventType): string[] {
    const ids = idsByType.get(type) ?? []
    idsByType.set(type, ids)
    return ids
  }

  /**
   * Whether there is room for one of this type; an event of a more frequent type may be dropped for
   * it.
   */
  function makeRoom(type: SecurityEventType): boolean {
    if (waiting.size < waitingMax) return true
    let largest = idsOf(type)
    for (const ids of idsByType.values()) if (ids.length > largest.length) largest = ids
    // With one more, this type would itself have as many as the largest.
    if (largest.length <= idsOf(type).length + 1) return false
    waiting.delete(largest.pop() ?? '')
    lost += 1
    return true
  }

  return {
    add(event) {
      const same = waiting.get(event.id)
      if (same) {
        waiting.set(event.id, mergeEvents(same, event))
        // The event that reports lost events is always kept.
      } else if (event.type === 'events.dropped' || makeRoom(event.type)) {
        waiting.set(event.id, event)
        idsOf(event.type).push(event.id)
      } else {
        lost += 1
      }
    },

    next() {
      if (taken.length === 0) {
        const batch: AuditEvent[] = []
        for (const event of waiting.values()) if (batch.push(event) === BATCH_MAX) break
        for (const { id, type } of batch) {
          waiting.delete(id)
          idsOf(type).shift()
        }
        taken = batch
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
      // One of the batch is bad, and it is not known which: from here on they are written one by
      // one.
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
