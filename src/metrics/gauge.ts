// What is so at the moment. Nobody keeps a gauge up to date: it is read where it is known, when
// somebody asks.

import type { Aggregator } from '../runtime/metric-snapshot.ts'
import type { LabelValues, Metric, MetricFacts } from './metric.ts'

/** A value and the labels that it has. */
export type Reading<Labels extends readonly string[]> = readonly [
  value: number,
  ...labels: LabelValues<Labels>,
]

type ReadAll<Labels extends readonly string[]> = () =>
  | readonly Reading<Labels>[]
  | Promise<readonly Reading<Labels>[]>

export interface Gauge<Labels extends readonly string[]> extends Metric {
  /** Where it is read from now on; until then there is nothing to show. */
  readFrom(read: ReadAll<Labels>): void
}

/** Opens a gauge; `aggregator` says what the processes of one instance are together. */
export function openGauge<const Labels extends readonly string[]>(
  facts: MetricFacts<Labels>,
  aggregator: Aggregator,
): Gauge<Labels> {
  const { name, help, labels } = facts
  let read: ReadAll<Labels> = () => []
  return {
    facts,
    readFrom(source) {
      read = source
    },
    async snapshot() {
      const readings = await read()
      const values = readings.map(([value, ...given]) => ({
        labels: Object.fromEntries(labels.map((label, index) => [label, String(given[index])])),
        value,
      }))
      return { name, help, type: 'gauge', aggregator, values }
    },
  }
}
