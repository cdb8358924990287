// What the standard variables of OpenTelemetry say together. Nothing of them is looked at where
// OTEL_EXPORTER_OTLP_ENDPOINT is unset: they may be there for somebody else.

import type { ExportTarget, TelemetrySettings } from '../tracing/telemetry-settings.ts'
import type { Environment } from './environment.ts'
import { type ReadFile, readRows } from './read-settings.ts'
import {
  OTLP_NAMES,
  type OtherValues,
  type OtlpName,
  type OtlpValues,
  otlpVariable,
  type Signal,
  TELEMETRY_TABLE,
} from './telemetry-table.ts'

const SWITCH = 'OTEL_EXPORTER_OTLP_ENDPOINT'
/** Names that a warning lists. */
const NAMES_MAX = 20

export interface ReadTelemetry {
  /** Undefined where nothing is exported. */
  readonly telemetry: TelemetrySettings | undefined
  /** Sentences without values. */
  readonly problems: readonly string[]
}

export function readTelemetry(env: Environment, readFile: ReadFile): ReadTelemetry {
  if (!isSwitchedOn(env)) return { telemetry: undefined, problems: [] }
  const { values, problems } = readRows(TELEMETRY_TABLE, env, readFile)
  const traces = targetOf(values, 'TRACES_', readFile)
  const metrics = targetOf(values, 'METRICS_', readFile)
  const all = [...new Set([...problems, ...traces.problems, ...metrics.problems])]
  if (all.length > 0) return { telemetry: undefined, problems: all }
  const others = values as unknown as OtherValues
  const { OTEL_RESOURCE_ATTRIBUTES: attributes = {}, OTEL_SERVICE_NAME: name } = others
  return {
    problems: [],
    telemetry: {
      resource: name === undefined ? attributes : { ...attributes, 'service.name': name },
      traces:
        others.OTEL_TRACES_EXPORTER === 'none'
          ? undefined
          : {
              ...traces.target,
              sampler: {
                ...others.OTEL_TRACES_SAMPLER,
                ratio: others.OTEL_TRACES_SAMPLER_ARG,
              },
              isPropagated: others.OTEL_PROPAGATORS,
              queueMax: others.OTEL_BSP_MAX_QUEUE_SIZE,
              batchMax: others.OTEL_BSP_MAX_EXPORT_BATCH_SIZE,
              delayMs: others.OTEL_BSP_SCHEDULE_DELAY,
            },
      metrics:
        others.OTEL_METRICS_EXPORTER === 'none'
          ? undefined
          : { ...metrics.target, intervalMs: others.OTEL_METRIC_EXPORT_INTERVAL },
    },
  }
}

/** What is set and does nothing, as sentences without values. */
export function findTelemetryWarnings(env: Environment): string[] {
  const set = Object.keys(env).filter((name) => env[name] && /^OTEL_[A-Z0-9_]{1,100}$/.test(name))
  const isOn = isSwitchedOn(env)
  const idle = isOn
    ? set.filter((name) => !isKnown(name))
    : set.filter((name) => name.startsWith('OTEL_EXPORTER_OTLP_') && name !== SWITCH)
  if (idle.length === 0 || (env[SWITCH] && !isOn)) return []
  const names = idle.sort().slice(0, NAMES_MAX).join(', ')
  return [`${names}: without effect${isOn ? ', not supported' : ` while ${SWITCH} is unset`}`]
}

function isSwitchedOn(env: Environment): boolean {
  return !!env[SWITCH] && env.OTEL_SDK_DISABLED?.toLowerCase() !== 'true'
}

function isKnown(name: string): boolean {
  const rows: Readonly<Record<string, { readonly isSecret?: true }>> = TELEMETRY_TABLE
  return Object.hasOwn(rows, name) || rows[name.replace(/_FILE$/, '')]?.isSecret === true
}

/** What is said of one kind goes before what is said of both, headers one by one. */
function targetOf(
  values: Readonly<Record<string, unknown>>,
  signal: Exclude<Signal, ''>,
  readFile: ReadFile,
): { readonly target: ExportTarget; readonly problems: readonly string[] } {
  const problems: string[] = []
  const own = (name: OtlpName) => values[otlpVariable(name, signal)]
  const both = Object.fromEntries(
    OTLP_NAMES.map((name) => [name, own(name) ?? values[otlpVariable(name, '')]]),
  ) as OtlpValues
  const ownUrl = own('ENDPOINT') as URL | undefined
  const base = both.ENDPOINT ?? new URL('http://localhost')
  const place = new URL(base)
  // Set, not resolved: a path that begins with two slashes would be read as another host.
  place.pathname = `${base.pathname.replace(/\/$/, '')}/v1/${signal.slice(0, -1).toLowerCase()}`
  const all = values[otlpVariable('HEADERS', '')] as OtlpValues['HEADERS']
  const pem = (name: 'CERTIFICATE' | 'CLIENT_CERTIFICATE' | 'CLIENT_KEY') => {
    const file = both[name]
    try {
      return file === undefined ? undefined : readFile(file)
    } catch {
      const variable = otlpVariable(name, own(name) === undefined ? '' : signal)
      problems.push(`${variable} names a file that cannot be read.`)
      return undefined
    }
  }
  const target: ExportTarget = {
    url: ownUrl ?? place,
    protocol: both.PROTOCOL,
    headers: { ...all, ...both.HEADERS },
    timeoutMs: both.TIMEOUT,
    isCompressed: both.COMPRESSION === 'gzip',
    tls: { ca: pem('CERTIFICATE'), cert: pem('CLIENT_CERTIFICATE'), key: pem('CLIENT_KEY') },
  }
  if ((target.tls.cert === undefined) !== (target.tls.key === undefined)) {
    const missing = target.tls.key === undefined ? 'CLIENT_KEY' : 'CLIENT_CERTIFICATE'
    problems.push(`${otlpVariable(missing, '')} is missing.`)
  }
  return { target, problems }
}
