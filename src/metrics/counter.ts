// A number that only rises, for each combination of its labels. Counting is a lookup and an addition,
// because it happens several times in a request.

import { keyOf, type LabelValues, labelsOf, type Metric, type MetricFacts } from './metric.ts'

export interface Counter<Labels extends readonly string[]> extends Metric {
  add(...values: LabelValues<Labels>): void
  addMany(count: number, ...values: LabelValues<Labels>): void
}

/**
 * Opens a counter. `zeros` are combinations that are shown from the beginning, so that the first one
 * that is counted shows as a rise. Values have to be from a bounded set: the caller sees to it.
 */
export function openCounter<const Labels extends readonly string[]>(
  facts: MetricFacts<Labels>,
  zeros: readonly LabelValues<Labels>[] = [],
): Counter<Labels> {
  const { name, help, labels } = facts
  const counts = new Map<string, number>(zeros.map((values) => [keyOf(values), 0]))
  return {
    facts,
    add(...values) {
      const key = keyOf(values)
      counts.set(key, (counts.get(key) ?? 0) + 1)
    },
    addMany(count, ...values) {
      const key = keyOf(values)
      counts.set(key, (counts.get(key) ?? 0) + count)
    },
    snapshot: () => ({
      ...{ name, help, type: 'counter', aggregator: 'sum' },
      values: [...counts].map(([key, value]) => ({ labels: labelsOf(labels, key), value })),
    }),
  }
}
