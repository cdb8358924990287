// What one metric says at a moment, in the form in which prom-client formats it and adds several
// processes up.

/** How the figures of several processes become that of their instance. */
export type Aggregator = 'sum' | 'max' | 'min' | 'average' | 'first' | 'omit'

export interface Sample {
  readonly labels: Readonly<Record<string, string | number>>
  readonly value: number
  /** Where it is not that of the metric: `_bucket`, `_sum` and `_count` of a histogram. */
  readonly metricName?: string
}

export interface MetricSnapshot {
  readonly name: string
  readonly help: string
  readonly type: 'counter' | 'gauge' | 'histogram' | 'summary'
  readonly aggregator: Aggregator
  readonly values: readonly Sample[]
}
