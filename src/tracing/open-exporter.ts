// What goes to one address of a collector, and the log of how that goes: one line when it fails, one when
// it works again that says what was lost, however long it was. A collector that takes everything, but more
// slowly than it comes, is told of once a minute.

import { type EventLogger, logEvent } from '../ops/log-events.ts'
import { sendExport } from './send-export.ts'
import type { ExportTarget } from './telemetry-settings.ts'

const TOLD_EVERY_MS = 60_000

export interface Exporter {
  /** Never rejects. `count` is what is lost if the collector does not take it: spans, or nothing. */
  send(bytes: Uint8Array | undefined, count: number): Promise<void>
  /** Notes what was lost before it could be sent. */
  lose(count: number): void
  /** Ends what is on its way. */
  abort(): void
}

export function openExporter(
  kind: 'traces' | 'metrics',
  target: ExportTarget,
  logger: EventLogger,
): Exporter {
  const aborted = new AbortController()
  let isDown = false
  let lost = 0
  let toldAtMs = Number.NEGATIVE_INFINITY

  function note(problem: string | undefined): void {
    if (problem !== undefined) {
      if (!isDown) logEvent(logger, 'telemetry.failed', { kind, problem })
      isDown = true
    } else if (isDown) {
      logEvent(logger, 'telemetry.recovered', { kind, lost })
      isDown = false
      lost = 0
    } else if (lost > 0) noteOverflow()
  }

  function noteOverflow(): void {
    const nowMs = performance.now()
    if (nowMs < toldAtMs + TOLD_EVERY_MS) return
    toldAtMs = nowMs
    logEvent(logger, 'telemetry.failed', { kind, problem: 'queue_full', lost })
    lost = 0
  }

  return {
    async send(bytes, count) {
      const problem = bytes
        ? await sendExport(target, bytes, aborted.signal)
        : ('unserializable' as const)
      if (problem !== undefined) lost += count
      note(problem)
    },
    lose(count) {
      lost += count
    },
    abort: () => aborted.abort(),
  }
}
