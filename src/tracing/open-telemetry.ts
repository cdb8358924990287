// Traces and metrics by OTLP, put together. The one file that is loaded, by import() and only where an
// address is configured; with it OpenTelemetry's SDK, of which nothing is made global.

import { randomUUID } from 'node:crypto'
import { hostname } from 'node:os'
import type { HrTime } from '@opentelemetry/api'
import {
  JsonMetricsSerializer,
  JsonTraceSerializer,
  ProtobufMetricsSerializer,
  ProtobufTraceSerializer,
} from '@opentelemetry/otlp-transformer'
import { type Resource, resourceFromAttributes } from '@opentelemetry/resources'
import { TracerProvider } from '@opentelemetry/sdk-trace'
import type { EventLogger } from '../ops/log-events.ts'
import type { MetricSnapshot } from '../runtime/metric-snapshot.ts'
import { openActiveSpans } from './active-span.ts'
import { openCallSpans, openOutboundSpans } from './call-spans.ts'
import { toMetricData } from './metric-data.ts'
import { type Exporter, openExporter } from './open-exporter.ts'
import { openRequestSpans } from './request-spans.ts'
import { samplerOf } from './sampler.ts'
import { openSpanQueue } from './span-queue.ts'
import type { MetricSettings, TelemetrySettings, TraceSettings } from './telemetry-settings.ts'
import type { Tracing } from './tracing.ts'

/** A stop waits so long for the last figures, and then for the last spans. */
const FLUSH_MS = 1_000
const SCOPE = 'lineage'

export interface TelemetryOptions {
  readonly settings: TelemetrySettings
  readonly version: string
  /** The number of this process among those of its instance; 0 where it is the only one. */
  readonly worker: number
  readonly logger: EventLogger
}

export interface Telemetry {
  /** Undefined where no traces are sent. */
  readonly tracing: Tracing | undefined
  /** Begins to send what `collect` tells, if metrics are sent. */
  sendMetrics(collect: () => Promise<readonly MetricSnapshot[]>): void
  /** Sends the figures for the last time, for a second at most. */
  endMetrics(): Promise<void>
  /** Sends what else waits, for a second at most, then gives it up. */
  close(): Promise<void>
}

export function openTelemetry(options: TelemetryOptions): Telemetry {
  const { settings, logger, version } = options
  const resource = resourceOf(options)
  let flushSpans = async (): Promise<void> => {}
  let endMetrics = async (): Promise<void> => {}
  const exporters: Exporter[] = []

  function openTraces(traces: TraceSettings): Tracing {
    const exporter = openExporter('traces', traces, logger)
    exporters.push(exporter)
    const serializer =
      traces.protocol === 'http/json' ? JsonTraceSerializer : ProtobufTraceSerializer
    const queue = openSpanQueue({
      ...traces,
      send: (batch) => exporter.send(serializer.serializeRequest(batch), batch.length),
      onDropped: () => exporter.lose(1),
    })
    flushSpans = queue.shutdown
    const sampler = samplerOf(traces.sampler)
    const provider = new TracerProvider({ resource, sampler, spanProcessors: [queue] })
    const tracer = provider.getTracer(SCOPE, version)
    const spans = openActiveSpans()
    const { isPropagated } = traces
    return {
      requests: openRequestSpans(tracer, spans, isPropagated),
      watches: openCallSpans(tracer, spans),
      traceCall: openOutboundSpans(tracer, spans, isPropagated),
    }
  }

  return {
    tracing: settings.traces && openTraces(settings.traces),
    sendMetrics(collect) {
      if (!settings.metrics) return
      const exporter = openExporter('metrics', settings.metrics, logger)
      exporters.push(exporter)
      const scope = { name: SCOPE, version }
      endMetrics = sendEvery(settings.metrics, { resource, scope, exporter, collect })
    },
    endMetrics: () => withinLimit(endMetrics()),
    async close() {
      await withinLimit(flushSpans())
      for (const exporter of exporters) exporter.abort()
    },
  }
}

async function withinLimit(work: Promise<void>): Promise<void> {
  let timer: NodeJS.Timeout | undefined
  const limit = new Promise<void>((resolve) => {
    timer = setTimeout(resolve, FLUSH_MS)
  })
  await Promise.race([work, limit])
  clearTimeout(timer)
}

interface MetricSender {
  readonly resource: Resource
  readonly scope: { readonly name: string; readonly version: string }
  readonly exporter: Exporter
  readonly collect: () => Promise<readonly MetricSnapshot[]>
}

/** Sends the figures once in each interval; what it returns sends them for the last time. */
function sendEvery(
  { intervalMs, protocol }: MetricSettings,
  { resource, scope, exporter, collect }: MetricSender,
): () => Promise<void> {
  const serializer = protocol === 'http/json' ? JsonMetricsSerializer : ProtobufMetricsSerializer
  const startTime = toHrTime(performance.timeOrigin)
  let sending: Promise<void> | undefined

  async function send(): Promise<void> {
    try {
      const metrics = toMetricData(await collect(), startTime, toHrTime(Date.now()))
      const bytes = serializer.serializeRequest({ resource, scopeMetrics: [{ scope, metrics }] })
      await exporter.send(bytes, 0)
    } catch {
      // A gauge that cannot be read now is read again the next time.
    } finally {
      sending = undefined
    }
  }

  const timer = setInterval(() => {
    sending ??= send()
  }, intervalMs).unref()
  return async () => {
    clearInterval(timer)
    await sending
    await send()
  }
}

function toHrTime(ms: number): HrTime {
  const seconds = Math.floor(ms / 1_000)
  return [seconds, Math.round((ms - seconds * 1_000) * 1_000_000)]
}

/** What is configured goes before what is known here. */
function resourceOf({ settings, version, worker }: TelemetryOptions): Resource {
  const { 'service.instance.id': instance, ...given } = settings.resource
  const ofWorker = worker > 0 ? `-${worker}` : ''
  return resourceFromAttributes({
    'service.name': 'lineage',
    'service.version': version,
    'host.name': hostname(),
    'process.pid': process.pid,
    'telemetry.sdk.language': 'nodejs',
    'telemetry.sdk.name': 'opentelemetry',
    ...given,
    // Each process counts for itself: two under one id would overwrite each other.
    'service.instance.id': instance === undefined ? randomUUID() : `${instance}${ofWorker}`,
  })
}
