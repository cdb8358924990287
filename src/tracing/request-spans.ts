// The span of a request: begun before anything is known of it, named at its end by its route. It holds what
// the line of the log holds but the id, which a caller may have typed, and never a URL.

import type { IncomingMessage } from 'node:http'
import { ROOT_CONTEXT, SpanKind, SpanStatusCode, type Tracer, trace } from '@opentelemetry/api'
import { knownMethod } from '../ops/known-method.ts'
import { outcomeOf, type RequestLine } from '../ops/request-line.ts'
import { type ActiveSpan, type ActiveSpans, activeSpanOf } from './active-span.ts'
import { readTraceparent, writeTraceparent } from './trace-context.ts'
import type { RequestTracing } from './tracing.ts'

export function openRequestSpans(
  tracer: Tracer,
  spans: ActiveSpans,
  isPropagated: boolean,
): RequestTracing {
  const begun = new WeakMap<IncomingMessage, ActiveSpan>()
  /** Of requests under way, by what the line of the log will say. */
  const open = new Map<string, ActiveSpan>()

  function finish(traceparent: string | undefined): ActiveSpan | undefined {
    if (traceparent === undefined) return undefined
    const active = open.get(traceparent)
    open.delete(traceparent)
    if (active) active.isOver = true
    return active
  }

  return {
    begin(request, response) {
      const { headers } = request
      const given = headers.traceparent
      const caller = isPropagated && typeof given === 'string' ? readTraceparent(given) : undefined
      const context = caller ? trace.setSpanContext(ROOT_CONTEXT, caller) : ROOT_CONTEXT
      const span = tracer.startSpan('HTTP', { kind: SpanKind.SERVER }, context)
      const active = activeSpanOf(span)
      const traceparent = writeTraceparent(span.spanContext())
      headers.traceparent = traceparent
      begun.set(request, active)
      open.set(traceparent, active)
      response.once('close', () => {
        // After everybody else has heard of it: whoever was answered has a line by then.
        process.nextTick(() => {
          const left = finish(traceparent)
          left?.span.setStatus({ code: SpanStatusCode.ERROR })
          left?.span.setAttribute('error.type', 'hung_up')
          left?.span.end()
        })
      })
    },
    run(request, work) {
      const active = begun.get(request)
      if (active) spans.enter(active, work)
      else work()
    },
    ended(line) {
      const active = finish(line.traceparent)
      if (active) describe(active, line)
      active?.span.end()
    },
  }
}

function describe({ span }: ActiveSpan, line: RequestLine): void {
  if (!span.isRecording()) return
  const { route, status, clientId, grant, refusal } = line
  const method = knownMethod(line.method)
  const name = method === 'other' ? 'HTTP' : method
  span.updateName(route === undefined ? name : `${name} ${route}`)
  span.setAttributes({
    'http.request.method': method === 'other' ? '_OTHER' : method,
    'http.response.status_code': status,
    'lineage.outcome': outcomeOf(line),
    ...(route !== undefined && { 'http.route': route }),
    ...(clientId !== undefined && { 'lineage.client_id': clientId }),
    ...(grant !== undefined && { 'lineage.grant': grant }),
    ...(refusal && { 'lineage.reason': refusal.reason }),
    ...(status >= 500 && { 'error.type': String(status) }),
  })
  if (status >= 500) span.setStatus({ code: SpanStatusCode.ERROR })
}
