// A collector of traces and metrics as OTLP over HTTP has it. What it is sent is decoded by protobufjs
// with the official definitions, which a package of OpenTelemetry has among its files: nothing of what
// encodes it takes part. Unknown fields and wrong types fail the test.

import { createServer, type IncomingHttpHeaders, type ServerResponse } from 'node:http'
import { createRequire } from 'node:module'
import type { AddressInfo } from 'node:net'
import { dirname, join } from 'node:path'
import { gunzipSync } from 'node:zlib'
import protobuf from 'protobufjs'
import type { Scope } from './scope.ts'

export type AttributeValue = string | number | boolean

export interface ReceivedSpan {
  readonly name: string
  readonly traceId: string
  readonly spanId: string
  /** Empty for a root. */
  readonly parentSpanId: string
  /** As the definitions name it, such as `SPAN_KIND_SERVER`. */
  readonly kind: string
  readonly attributes: Readonly<Record<string, AttributeValue>>
  readonly isError: boolean
  readonly startNano: bigint
  readonly endNano: bigint
  readonly resource: Readonly<Record<string, AttributeValue>>
}

export interface ReceivedPoint {
  readonly labels: Readonly<Record<string, AttributeValue>>
  readonly value?: number
  /** Of a histogram. */
  readonly count?: number
  readonly sum?: number
  readonly bucketCounts?: readonly number[]
  readonly explicitBounds?: readonly number[]
}

export interface ReceivedMetric {
  readonly name: string
  readonly kind: 'gauge' | 'sum' | 'histogram'
  readonly isMonotonic: boolean
  readonly temporality: string | undefined
  readonly points: readonly ReceivedPoint[]
  readonly resource: Readonly<Record<string, AttributeValue>>
}

export interface ReceivedExport {
  readonly path: string
  readonly headers: IncomingHttpHeaders
  /** As it came, unpacked. */
  readonly body: Buffer
}

export interface OtlpReceiver {
  readonly url: string
  readonly port: number
  readonly exports: readonly ReceivedExport[]
  readonly spans: readonly ReceivedSpan[]
  /** Of all exports, the newest last. */
  readonly metrics: readonly ReceivedMetric[]
  /** Resolves when `find` gives something, asked again after every export. */
  until<T>(find: (receiver: OtlpReceiver) => T | undefined | false): Promise<T>
  /** How to answer from now on; with 200 at first. What is refused is not kept. */
  answerWith(answer: (response: ServerResponse) => boolean): void
  close(): Promise<void>
}

/** Of the package only these files are used; its overrides in package.json leave the rest of it out. */
const DEFINITIONS = join(
  dirname(
    createRequire(import.meta.url).resolve('@opentelemetry/otlp-grpc-exporter-base/package.json'),
  ),
  'build/protos',
)

const root = new protobuf.Root()
root.resolvePath = (_origin, target) => join(DEFINITIONS, target)
root.loadSync([
  'opentelemetry/proto/collector/trace/v1/trace_service.proto',
  'opentelemetry/proto/collector/metrics/v1/metrics_service.proto',
])
// Version 1.1 of the definitions has added it since.
root.lookupType('opentelemetry.proto.trace.v1.Span').add(new protobuf.Field('flags', 16, 'fixed32'))
const COLLECTOR = 'opentelemetry.proto.collector'
const TRACES = root.lookupType(`${COLLECTOR}.trace.v1.ExportTraceServiceRequest`)
const METRICS = root.lookupType(`${COLLECTOR}.metrics.v1.ExportMetricsServiceRequest`)

export async function startOtlpReceiver(t: Scope, port = 0): Promise<OtlpReceiver> {
  const exports: ReceivedExport[] = []
  const spans: ReceivedSpan[] = []
  const metrics: ReceivedMetric[] = []
  const waiting = new Set<() => void>()
  let answer = (response: ServerResponse): boolean => {
    response.writeHead(200, { 'content-type': 'application/x-protobuf' }).end()
    return true
  }
  const server = createServer(async (request, response) => {
    const chunks: Buffer[] = []
    for await (const chunk of request) chunks.push(chunk as Buffer)
    const { url: path = '', headers } = request
    const sent = Buffer.concat(chunks)
    const body = headers['content-encoding'] === 'gzip' ? gunzipSync(sent) : sent
    if (!answer(response)) return
    exports.push({ path, headers, body })
    const isJson = headers['content-type'] === 'application/json'
    if (path.endsWith('/v1/traces')) spans.push(...readSpans(decode(TRACES, body, isJson)))
    if (path.endsWith('/v1/metrics')) metrics.push(...readMetrics(decode(METRICS, body, isJson)))
    for (const look of waiting) look()
  })
  await new Promise<void>((resolve) => server.listen(port, '127.0.0.1', resolve))
  const close = async () => {
    server.closeAllConnections()
    await new Promise((resolve) => server.close(resolve))
  }
  t.teardown(close)
  const { port: bound } = server.address() as AddressInfo
  const receiver: OtlpReceiver = {
    ...{ url: `http://127.0.0.1:${bound}`, port: bound, exports, spans, metrics, close },
    until: (find) =>
      new Promise((resolve) => {
        const look = () => {
          const found = find(receiver)
          if (found === undefined || found === false) return
          waiting.delete(look)
          resolve(found)
        }
        waiting.add(look)
        look()
      }),
    answerWith(other) {
      answer = other
    },
  }
  return receiver
}

/** As plain objects: bytes as hexadecimal text, 64-bit numbers as text, names of enumerations. */
function decode(type: protobuf.Type, body: Buffer, isJson: boolean): Plain {
  if (isJson) return JSON.parse(body.toString()) as Plain
  const message = type.decode(body)
  refuseUnknown(message)
  return type.toObject(message, { enums: String, longs: String, arrays: true, bytes: Array })
}

/** Throws for a field that the definitions do not have, however deep it lies. */
function refuseUnknown(value: unknown): void {
  if (typeof value !== 'object' || value === null || value instanceof Uint8Array) return
  if ('$unknowns' in value && value.$unknowns) throw new Error('a field that is not defined')
  for (const member of Object.values(value)) refuseUnknown(member)
}

type Plain = Record<string, unknown>

const list = (value: unknown): Plain[] => (value ?? []) as Plain[]
const hex = (bytes: unknown): string =>
  typeof bytes === 'string' ? bytes : Buffer.from((bytes ?? []) as number[]).toString('hex')

function readAttributes(attributes: unknown): Record<string, AttributeValue> {
  return Object.fromEntries(
    list(attributes).map(({ key, value }) => {
      const [[kind, found] = []] = Object.entries(value as Plain)
      return [key as string, (kind === 'intValue' ? Number(found) : found) as AttributeValue]
    }),
  )
}

function readSpans(request: Plain): ReceivedSpan[] {
  return list(request.resourceSpans).flatMap(({ resource, scopeSpans }) =>
    list(scopeSpans).flatMap(({ spans }) =>
      list(spans).map((span) => ({
        name: span.name as string,
        traceId: hex(span.traceId),
        spanId: hex(span.spanId),
        parentSpanId: hex(span.parentSpanId),
        kind: String(span.kind),
        attributes: readAttributes(span.attributes),
        isError: /ERROR|2/.test(String((span.status as Plain | undefined)?.code)),
        startNano: BigInt(span.startTimeUnixNano as string),
        endNano: BigInt(span.endTimeUnixNano as string),
        resource: readAttributes((resource as Plain | undefined)?.attributes),
      })),
    ),
  )
}

function readMetrics(request: Plain): ReceivedMetric[] {
  return list(request.resourceMetrics).flatMap(({ resource, scopeMetrics }) =>
    list(scopeMetrics).flatMap(({ metrics }) =>
      list(metrics).map((metric) => {
        const kind = (['gauge', 'sum', 'histogram'] as const).find((name) => metric[name])
        if (!kind) throw new Error(`${metric.name} has no data`)
        const data = metric[kind] as Plain
        return {
          ...{ name: metric.name as string, kind, isMonotonic: data.isMonotonic === true },
          temporality: data.aggregationTemporality as string | undefined,
          points: list(data.dataPoints).map(readPoint),
          resource: readAttributes((resource as Plain | undefined)?.attributes),
        }
      }),
    ),
  )
}

function readPoint(point: Plain): ReceivedPoint {
  const labels = readAttributes(point.attributes)
  if (point.bucketCounts === undefined) {
    return { labels, value: Number(point.asDouble ?? point.asInt) }
  }
  return {
    labels,
    count: Number(point.count),
    sum: Number(point.sum),
    bucketCounts: list(point.bucketCounts).map(Number),
    explicitBounds: list(point.explicitBounds).map(Number),
  }
}
