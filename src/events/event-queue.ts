// Events between the request that caused one and the table that keeps it: written in batches,
// never waited for, tried again while PostgreSQL is away. Knows nothing of the table.

import { setTimeout as delay, setImmediate } from 'node:timers/promises'
import type { Clock } from '../runtime/clock.ts'
import { DependencyUnavailable } from '../runtime/dependency-unavailable.ts'
import type { RecordEvent } from '../runtime/security-event.ts'
import { type AuditEvent, openEventMaker } from './audit-event.ts'
import { openEventBuffer } from './event-buffer.ts'

/** Events that wait to be written, of all processes of an instance together. */
export const WAITING_MAX = 10_000
const GATHER_MS = 200
/** Between attempts while PostgreSQL is away. */
const RETRY_MS = 1_000
const RETRY_CLOSING_MS = 100
/** How long a stop writes what still waits; a write under way may take its own deadline longer. */
const FLUSH_MS = 1_500

export interface EventQueueOptions {
  /**
   * Writes all of them or none. Is called again with the same events after DependencyUnavailable.
   */
  readonly write: (events: readonly AuditEvent[]) => Promise<void>
  readonly clock: Clock
  /**
   * Told how many events were lost, at the next write that succeeds or at the close. May record.
   */
  readonly onLost: (count: number) => void
  /** Told why the database refuses an event, which is then lost. */
  readonly onRefused: (error: unknown) => void
  readonly waitingMax?: number
}

export interface EventQueue {
  /** When the queue is full the new event is lost, and counted. */
  readonly record: RecordEvent
  /** Writes what waits, or tells onLost how many events it could not write. */
  close(): Promise<void>
  /** How many wait to be written. */
  waiting(): number
}

export function openEventQueue(options: EventQueueOptions): EventQueue {
  const { write, clock, onLost, onRefused, waitingMax = WAITING_MAX } = options
  const makeEvent = openEventMaker()
  const buffer = openEventBuffer(waitingMax)
  let state: 'open' | 'closing' | 'closed' = 'open'
  let timer: NodeJS.Timeout | undefined
  let writing: Promise<void> | undefined

  function schedule(inMs: number): void {
    if (writing || state !== 'open') return
    if (inMs === 0) writing = writeAll()
    else timer ??= setTimeout(schedule, inMs, 0).unref()
  }

  /** Writes in a later turn of the event loop: whoever records an event is answering a request. */
  async function writeAll(): Promise<void> {
    clearTimeout(timer)
    timer = undefined
    await setImmediate()
    const pauseMs = await writeWhileOpen()
    writing = undefined
    if (buffer.size() > 0) schedule(pauseMs)
  }

  async function writeWhileOpen(): Promise<number> {
    try {
      while (buffer.size() > 0 && state === 'open') await writeNext()
      return GATHER_MS
    } catch {
      return RETRY_MS
    }
  }

  /** Rejects with DependencyUnavailable; the events are then as before. */
  async function writeNext(): Promise<void> {
    try {
      await write(buffer.next())
      buffer.written()
    } catch (error) {
      if (error instanceof DependencyUnavailable) throw error
      if (buffer.refused()) onRefused(error)
    }
    tellLost()
  }

  function tellLost(): void {
    const lost = buffer.takeLost()
    if (lost > 0) onLost(lost)
  }

  return {
    record(event) {
      if (state === 'closed') return
      buffer.add(makeEvent(event, clock()))
      schedule(buffer.hasFullBatch() ? 0 : GATHER_MS)
    },

    waiting: buffer.size,

    async close() {
      state = 'closing'
      clearTimeout(timer)
      const deadlineMs = performance.now() + FLUSH_MS
      await writing
      while (buffer.size() > 0 && performance.now() < deadlineMs) {
        await writeNext().catch(() => delay(RETRY_CLOSING_MS))
      }
      state = 'closed'
      const left = buffer.size() + buffer.takeLost()
      if (left > 0) onLost(left)
    },
  }
}
