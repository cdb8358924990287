// The spans of what a request waits for: one for each call to a store, each wait for a hashing lane, each
// signature. Their names and attributes are words of ours: no statement, no key, no value.

import {
  type Attributes,
  ROOT_CONTEXT,
  SpanKind,
  SpanStatusCode,
  type Tracer,
} from '@opentelemetry/api'
import type { TraceCall } from '../outbound/trace-call.ts'
import type { CallEnded, WatchCall } from '../runtime/call-watch.ts'
import type { ActiveSpans } from './active-span.ts'
import { writeTraceparent } from './trace-context.ts'
import type { Tracing } from './tracing.ts'

const FAILED = { code: SpanStatusCode.ERROR }
const ignoreEnd: CallEnded = () => {}

export function openCallSpans(tracer: Tracer, spans: ActiveSpans): Tracing['watches'] {
  const watch =
    (
      kind: SpanKind,
      nameOf: (operation: string) => string,
      attributesOf: (operation: string) => Attributes,
    ): WatchCall =>
    (operation) => {
      const parent = spans.current()
      if (!parent?.span.isRecording()) return ignoreEnd
      const attributes = attributesOf(operation)
      const span = tracer.startSpan(nameOf(operation), { kind, attributes }, parent.context)
      return (failed) => {
        if (failed) span.setStatus(FAILED)
        span.end()
      }
    }
  const database = (name: 'redis' | 'postgresql') =>
    watch(
      SpanKind.CLIENT,
      (operation) => `${name} ${operation}`,
      (operation) => ({
        'db.system.name': name,
        'db.operation.name': operation,
      }),
    )
  return {
    redis: database('redis'),
    postgresql: database('postgresql'),
    hashing: watch(
      SpanKind.INTERNAL,
      () => 'hashing wait',
      () => ({}),
    ),
    signing: watch(
      SpanKind.INTERNAL,
      () => 'sign',
      (alg) => ({ 'lineage.signing.alg': alg }),
    ),
  }
}

/** Calls to others, within a request or by themselves; they carry the trace on where that is wanted. */
export function openOutboundSpans(
  tracer: Tracer,
  spans: ActiveSpans,
  isPropagated: boolean,
): TraceCall {
  return (purpose) => {
    const context = spans.current()?.context ?? ROOT_CONTEXT
    const method = purpose === 'webhook' ? 'POST' : 'GET'
    const attributes = { 'http.request.method': method, 'lineage.purpose': purpose }
    const kind = SpanKind.CLIENT
    const span = tracer.startSpan(`${method} ${purpose}`, { kind, attributes }, context)
    const traceparent = writeTraceparent(span.spanContext())
    return {
      headers: isPropagated ? { traceparent } : {},
      ended(result) {
        const isStatus = typeof result === 'number'
        if (isStatus) span.setAttribute('http.response.status_code', result)
        if (!isStatus || result >= 400) {
          span.setAttribute('error.type', String(result))
          span.setStatus(FAILED)
        }
        span.end()
      },
    }
  }
}
