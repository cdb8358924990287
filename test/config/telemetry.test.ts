// The standard variables of OpenTelemetry: what they mean, what of them is refused, what is said to be
// without effect.

import { test } from 'tap'
import { findTelemetryWarnings, readTelemetry } from '../../src/config/telemetry.ts'

const ENDPOINT = { OTEL_EXPORTER_OTLP_ENDPOINT: 'http://collector.example.test:4318' }
const noFile = () => {
  throw new Error('no file')
}
const read = (env: Record<string, string>, readFile = noFile as (path: string) => string) =>
  readTelemetry(env, readFile)

test('without an address, or disabled, nothing is looked at', async (t) => {
  const wrong = { OTEL_EXPORTER_OTLP_PROTOCOL: 'grpc', OTEL_TRACES_SAMPLER: 'never' }
  for (const env of [
    wrong,
    { ...wrong, OTEL_EXPORTER_OTLP_ENDPOINT: '' },
    { ...wrong, ...ENDPOINT, OTEL_SDK_DISABLED: 'TRUE' },
  ]) {
    t.strictSame(read(env), { telemetry: undefined, problems: [] })
  }
})

test('an address alone: everything else as the specification has it', async (t) => {
  const { telemetry, problems } = read(ENDPOINT)
  t.strictSame(problems, [])
  t.match(telemetry, {
    resource: {},
    traces: {
      protocol: 'http/protobuf',
      headers: {},
      timeoutMs: 10_000,
      isCompressed: false,
      sampler: { root: 'always_on', ratio: 1, isParentBased: true },
      isPropagated: true,
      queueMax: 2048,
      batchMax: 512,
      delayMs: 5_000,
    },
    metrics: { protocol: 'http/protobuf', intervalMs: 60_000 },
  })
  t.equal(telemetry?.traces?.url.href, 'http://collector.example.test:4318/v1/traces')
  t.equal(telemetry?.metrics?.url.href, 'http://collector.example.test:4318/v1/metrics')
  const doubled = read({ OTEL_EXPORTER_OTLP_ENDPOINT: 'http://collector.example.test:4318//' })
  const href = 'http://collector.example.test:4318//v1/traces'
  t.equal(doubled.telemetry?.traces?.url.href, href, 'a path that begins like a host')
})

test('what is said of one kind goes before what is said of both', async (t) => {
  const { telemetry } = read({
    OTEL_EXPORTER_OTLP_ENDPOINT: 'https://collector.example.test/otlp/?tenant=a',
    OTEL_EXPORTER_OTLP_METRICS_ENDPOINT: 'https://metrics.example.test/own',
    OTEL_EXPORTER_OTLP_HEADERS: 'x-one=1, X-Two=a%20b%2C',
    OTEL_EXPORTER_OTLP_TRACES_HEADERS: 'x-one=own',
    OTEL_EXPORTER_OTLP_TIMEOUT: '700',
    OTEL_EXPORTER_OTLP_METRICS_TIMEOUT: '800',
    OTEL_EXPORTER_OTLP_TRACES_PROTOCOL: 'http/json',
    OTEL_EXPORTER_OTLP_COMPRESSION: 'gzip',
    OTEL_RESOURCE_ATTRIBUTES: 'service.name=lost,deployment.environment.name=a%3Db',
    OTEL_SERVICE_NAME: 'tokens',
    OTEL_TRACES_SAMPLER: 'traceidratio',
    OTEL_TRACES_SAMPLER_ARG: '0.25',
    OTEL_PROPAGATORS: 'none',
  })
  const { traces, metrics, resource } = telemetry ?? {}
  t.equal(traces?.url.href, 'https://collector.example.test/otlp/v1/traces?tenant=a')
  t.equal(metrics?.url.href, 'https://metrics.example.test/own', 'as it is')
  t.strictSame(traces?.headers, { 'x-one': 'own', 'X-Two': 'a b,' })
  t.strictSame(metrics?.headers, { 'x-one': '1', 'X-Two': 'a b,' })
  t.strictSame([traces?.timeoutMs, metrics?.timeoutMs], [700, 800])
  t.strictSame([traces?.protocol, metrics?.protocol], ['http/json', 'http/protobuf'])
  t.ok(traces?.isCompressed)
  t.strictSame(traces?.sampler, { root: 'traceidratio', isParentBased: false, ratio: 0.25 })
  t.equal(traces?.isPropagated, false)
  t.strictSame(resource, { 'service.name': 'tokens', 'deployment.environment.name': 'a=b' })
})

test('one kind alone', async (t) => {
  const { telemetry } = read({ ...ENDPOINT, OTEL_TRACES_EXPORTER: 'none' })
  t.equal(telemetry?.traces, undefined)
  t.ok(telemetry?.metrics)
  t.equal(read({ ...ENDPOINT, OTEL_METRICS_EXPORTER: 'none' }).telemetry?.metrics, undefined)
})

test('secrets and certificates come out of files', async (t) => {
  const files: Record<string, string> = {
    '/h': 'authorization=Bearer%20x\n',
    '/ca': 'CA',
    '/c': 'C',
  }
  const readFile = (path: string) => files[path] ?? noFile()
  const env = {
    ...ENDPOINT,
    OTEL_EXPORTER_OTLP_HEADERS_FILE: '/h',
    OTEL_EXPORTER_OTLP_CERTIFICATE: '/ca',
    OTEL_EXPORTER_OTLP_CLIENT_CERTIFICATE: '/c',
    OTEL_EXPORTER_OTLP_CLIENT_KEY: '/c',
  }
  const { telemetry, problems } = read(env, readFile)
  t.strictSame(problems, [])
  t.strictSame(telemetry?.metrics?.headers, { authorization: 'Bearer x' })
  t.strictSame(telemetry?.metrics?.tls, { ca: 'CA', cert: 'C', key: 'C' })
  t.strictSame(read({ ...env, OTEL_EXPORTER_OTLP_CERTIFICATE: '/none' }, readFile).problems, [
    'OTEL_EXPORTER_OTLP_CERTIFICATE names a file that cannot be read.',
  ])
  t.strictSame(read({ ...env, OTEL_EXPORTER_OTLP_CLIENT_KEY: '' }, readFile).problems, [
    'OTEL_EXPORTER_OTLP_CLIENT_KEY is missing.',
  ])
})

test('what is not supported is refused, and no value is repeated', async (t) => {
  const wrong = {
    OTEL_EXPORTER_OTLP_ENDPOINT: 'ftp://secret',
    OTEL_EXPORTER_OTLP_TRACES_ENDPOINT: 'http://user:secret@x/',
    OTEL_EXPORTER_OTLP_PROTOCOL: 'grpc',
    OTEL_EXPORTER_OTLP_HEADERS: 'secret',
    OTEL_EXPORTER_OTLP_METRICS_HEADERS: 'a=secret%0D%0Ab',
    OTEL_EXPORTER_OTLP_TIMEOUT: '0',
    OTEL_EXPORTER_OTLP_COMPRESSION: 'secret',
    OTEL_RESOURCE_ATTRIBUTES: '%zz=secret',
    OTEL_TRACES_EXPORTER: 'secret',
    OTEL_METRICS_EXPORTER: 'prometheus',
    OTEL_TRACES_SAMPLER: 'jaeger_remote',
    OTEL_TRACES_SAMPLER_ARG: '1.5',
    OTEL_PROPAGATORS: 'tracecontext,b3',
    OTEL_BSP_MAX_QUEUE_SIZE: '999999999',
    OTEL_METRIC_EXPORT_INTERVAL: '1',
    OTEL_EXPORTER_OTLP_METRICS_TEMPORALITY_PREFERENCE: 'delta',
  }
  const { telemetry, problems } = read(wrong)
  t.equal(telemetry, undefined)
  t.strictSame(
    problems.map((problem) => problem.split(' ')[0]).sort(),
    Object.keys(wrong).sort(),
    'each of them once',
  )
  t.notMatch(problems.join(), 'secret')
})

test('what has no effect is said', async (t) => {
  t.strictSame(findTelemetryWarnings({}), [])
  t.strictSame(findTelemetryWarnings({ ...ENDPOINT, OTEL_SERVICE_NAME: 'x' }), [])
  t.strictSame(findTelemetryWarnings({ OTEL_SERVICE_NAME: 'of another' }), [])
  t.strictSame(findTelemetryWarnings({ OTEL_EXPORTER_OTLP_TRACES_ENDPOINT: 'x' }), [
    'OTEL_EXPORTER_OTLP_TRACES_ENDPOINT: without effect while OTEL_EXPORTER_OTLP_ENDPOINT is unset',
  ])
  const env = { ...ENDPOINT, OTEL_LOGS_EXPORTER: 'otlp', OTEL_LOG_LEVEL: 'debug' }
  t.strictSame(findTelemetryWarnings(env), [
    'OTEL_LOGS_EXPORTER, OTEL_LOG_LEVEL: without effect, not supported',
  ])
  t.strictSame(findTelemetryWarnings({ ...env, OTEL_SDK_DISABLED: 'true' }), [])
  t.strictSame(findTelemetryWarnings({ ...ENDPOINT, OTEL_EXPORTER_OTLP_HEADERS_FILE: '/x' }), [])
})
