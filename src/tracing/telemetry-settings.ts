// What the standard variables of OpenTelemetry mean here, once they are read: where traces and metrics
// go, how much of them, and under whose name.

/** Where one kind of data is sent by OTLP over HTTP, and how. */
export interface ExportTarget {
  readonly url: URL
  readonly protocol: 'http/protobuf' | 'http/json'
  /** May hold secrets. */
  readonly headers: Readonly<Record<string, string>>
  /** For one batch with all of its attempts. */
  readonly timeoutMs: number
  readonly isCompressed: boolean
  /** PEM: whose certificates are believed in place of those that Node knows, and our own. */
  readonly tls: {
    readonly ca?: string | undefined
    readonly cert?: string | undefined
    readonly key?: string | undefined
  }
}

export interface SamplerSettings {
  readonly root: 'always_on' | 'always_off' | 'traceidratio'
  /** From 0 to 1, for `traceidratio`. */
  readonly ratio: number
  /** Whether a caller that has decided already is followed. */
  readonly isParentBased: boolean
}

export interface TraceSettings extends ExportTarget {
  readonly sampler: SamplerSettings
  /** Whether the trace of a caller is taken over and handed on (W3C Trace Context). */
  readonly isPropagated: boolean
  /** Spans that wait to be sent; what comes beyond is dropped and counted. */
  readonly queueMax: number
  readonly batchMax: number
  readonly delayMs: number
}

export interface MetricSettings extends ExportTarget {
  readonly intervalMs: number
}

export interface TelemetrySettings {
  /** Undefined where none are sent. */
  readonly traces: TraceSettings | undefined
  readonly metrics: MetricSettings | undefined
  /** What is said of this service beside what it knows of itself. */
  readonly resource: Readonly<Record<string, string>>
}
