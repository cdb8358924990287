// Spans that have ended and wait to be sent: a bounded queue, one batch on its way at a time. Whoever
// ends a span never waits, and what finds no room is dropped and counted.

import { TraceFlags } from '@opentelemetry/api'
import type { ReadableSpan, SpanProcessor } from '@opentelemetry/sdk-trace'

export interface SpanQueueOptions {
  readonly queueMax: number
  readonly batchMax: number
  readonly delayMs: number
  /** Never rejects; what it could not send is gone. */
  readonly send: (spans: ReadableSpan[]) => Promise<void>
  /** Told of every span that found no room. */
  readonly onDropped: () => void
}

export interface SpanQueue extends SpanProcessor {
  /** Resolves when everything that waits now has been sent or given up. */
  forceFlush(): Promise<void>
}

export function openSpanQueue(options: SpanQueueOptions): SpanQueue {
  const { queueMax, batchMax, delayMs, send, onDropped } = options
  let waiting: ReadableSpan[] = []
  let sending: Promise<void> | undefined
  let timer: NodeJS.Timeout | undefined
  let isClosed = false

  /** Until nothing waits: what came meanwhile goes with it. */
  async function sendAll(): Promise<void> {
    while (waiting.length > 0) {
      const batch = waiting.slice(0, batchMax)
      waiting = waiting.slice(batchMax)
      await send(batch)
    }
  }

  function flush(): Promise<void> {
    clearTimeout(timer)
    timer = undefined
    sending ??= sendAll().finally(() => {
      sending = undefined
    })
    return sending
  }

  return {
    onStart() {},
    onEnd(span) {
      if (isClosed || (span.spanContext().traceFlags & TraceFlags.SAMPLED) === 0) return
      if (waiting.length >= queueMax) return onDropped()
      waiting.push(span)
      if (waiting.length >= batchMax) void flush()
      else timer ??= setTimeout(flush, delayMs).unref()
    },
    forceFlush: flush,
    async shutdown() {
      isClosed = true
      await flush()
    },
  }
}
