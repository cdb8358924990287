// What goes to one address of a collector, and the log of how that goes: one line when it fails, one when
// it works again that says what was lost, however long it was.

import { type EventLogger, logEvent } from '../ops/log-events.ts'
import { sendExport } from './send-export.ts'
import type { ExportTarget } from './telemetry-settings.ts'

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

  function note(problem: string | undefined): void {
    if (problem === undefined) {
      if (isDown || lost > 0) logEvent(logger, 'telemetry.recovered', { kind, lost })
      isDown = false
      lost = 0
    } else if (!isDown) {
      isDown = true
      logEvent(logger, 'telemetry.failed', { kind, problem })
    }
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
