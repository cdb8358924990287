// One row for every standard variable of OpenTelemetry that counts, all of them only where
// OTEL_EXPORTER_OTLP_ENDPOINT is set. docs/operations.md repeats this table, and
// test/docs/telemetry-table.test.ts holds it to it.

import { integer, oneOf, parsePath } from './config-values.ts'
import { optional, row, type Setting, secret } from './setting.ts'
import {
  parseOtlpEndpoint,
  parseOtlpHeaders,
  parsePropagators,
  parseRatio,
  parseResourceAttributes,
  parseSampler,
} from './telemetry-values.ts'

const DAY_MS = 86_400_000

/** Each of them also for one kind alone, as OTEL_EXPORTER_OTLP_TRACES_… and …_METRICS_…. */
const OTLP_ROWS = {
  ENDPOINT: optional(
    parseOtlpEndpoint,
    'Base of the addresses, to which `/v1/traces` and `/v1/metrics` are added; for one kind alone, the whole address.',
  ),
  PROTOCOL: row(
    'http/protobuf',
    oneOf('http/protobuf', 'http/json'),
    '`http/protobuf` or `http/json`; `grpc` is refused.',
  ),
  HEADERS: secret(
    parseOtlpHeaders,
    'Headers of each export, as `name=value,…`; may stand in a file.',
  ),
  TIMEOUT: row('10000', integer(1, DAY_MS), 'Milliseconds for one batch with all its attempts.'),
  COMPRESSION: row('none', oneOf('none', 'gzip'), '`gzip` or `none`.'),
  CERTIFICATE: optional(parsePath, 'PEM file of the CAs that are believed.'),
  CLIENT_CERTIFICATE: optional(parsePath, 'PEM file of our certificate, for mutual TLS.'),
  CLIENT_KEY: optional(parsePath, 'PEM file of its key.'),
} as const satisfies Record<string, Setting<unknown>>

export type OtlpName = keyof typeof OTLP_ROWS
export const OTLP_NAMES = Object.keys(OTLP_ROWS) as OtlpName[]

/** Empty for all kinds. */
export type Signal = '' | 'TRACES_' | 'METRICS_'

export function otlpVariable(name: OtlpName, signal: Signal): `OTEL_EXPORTER_OTLP_${string}` {
  return `OTEL_EXPORTER_OTLP_${signal}${name}`
}

const OTHER_ROWS = {
  OTEL_SDK_DISABLED: row(
    'false',
    (text) => text.toLowerCase() === 'true',
    '`true` is as if there were no address.',
  ),
  OTEL_SERVICE_NAME: optional((text) => text, 'Name of the service; `lineage` by default.'),
  OTEL_RESOURCE_ATTRIBUTES: optional(
    parseResourceAttributes,
    'What else is said of it, as `name=value,…`.',
  ),
  OTEL_TRACES_EXPORTER: row('otlp', oneOf('otlp', 'none'), '`none`: no traces.'),
  OTEL_METRICS_EXPORTER: row('otlp', oneOf('otlp', 'none'), '`none`: no metrics.'),
  OTEL_TRACES_SAMPLER: row(
    'parentbased_always_on',
    parseSampler,
    '`always_on`, `always_off`, `traceidratio`, or one of them after `parentbased_`.',
  ),
  OTEL_TRACES_SAMPLER_ARG: row('1', parseRatio, 'Share of all traces, for `traceidratio`.'),
  OTEL_PROPAGATORS: row(
    'tracecontext',
    parsePropagators,
    '`tracecontext` or `none`; of `baggage` nothing is passed on.',
  ),
  OTEL_BSP_SCHEDULE_DELAY: row('5000', integer(1, DAY_MS), 'Milliseconds that spans wait.'),
  OTEL_BSP_MAX_QUEUE_SIZE: row(
    '2048',
    integer(1, 65_536),
    'Spans that may wait; more are dropped and counted.',
  ),
  OTEL_BSP_MAX_EXPORT_BATCH_SIZE: row('512', integer(1, 8_192), 'Spans in one batch.'),
  OTEL_METRIC_EXPORT_INTERVAL: row(
    '60000',
    integer(100, DAY_MS),
    'Milliseconds between two exports of metrics.',
  ),
  OTEL_EXPORTER_OTLP_METRICS_TEMPORALITY_PREFERENCE: row(
    'cumulative',
    oneOf('cumulative'),
    '`cumulative`; others are refused.',
  ),
} as const satisfies Record<string, Setting<unknown>>

export const TELEMETRY_TABLE = {
  ...(Object.fromEntries(
    OTLP_NAMES.flatMap((name) =>
      (['', 'TRACES_', 'METRICS_'] as const).map((signal) => [
        otlpVariable(name, signal),
        // What holds for one kind alone has the default of what holds for both.
        signal === '' ? OTLP_ROWS[name] : { ...OTLP_ROWS[name], default: undefined },
      ]),
    ),
  ) as Record<`OTEL_EXPORTER_OTLP_${Signal}${OtlpName}`, Setting<unknown>>),
  ...OTHER_ROWS,
} satisfies Record<string, Setting<unknown>>

/** What each parser gives; undefined where it is unset or bad. */
export type OtlpValues = {
  readonly [Name in OtlpName]: (typeof OTLP_ROWS)[Name] extends Setting<infer T> ? T : never
}
export type OtherValues = {
  readonly [Name in keyof typeof OTHER_ROWS]: (typeof OTHER_ROWS)[Name] extends Setting<infer T>
    ? T
    : never
}

/** As the table in docs/operations.md has them: one row for the three variables of a name. */
export const TELEMETRY_ROWS: readonly (readonly [name: string, setting: Setting<unknown>])[] = [
  ...OTLP_NAMES.map((name) => [otlpVariable(name, ''), OTLP_ROWS[name]] as const),
  ...Object.entries<Setting<unknown>>(OTHER_ROWS),
]
