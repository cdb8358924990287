// A number that only rises, for each combination of its labels. Counting is a few lookups and an addition,
// because it happens several times in a request.

import { openCells } from './cells.ts'
import { type LabelValues, labelsOf, type Metric, type MetricFacts } from './metric.ts'

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
  const cells = openCells(labels.length, () => ({ count: 0 }))
  for (const values of zeros) cells.at(values)
  return {
    facts,
    add(...values) {
      cells.at(values).count += 1
    },
    addMany(count, ...values) {
      cells.at(values).count += count
    },
    snapshot: () => ({
      ...{ name, help, type: 'counter', aggregator: 'sum' },
      values: cells
        .list()
        .map(([values, { count }]) => ({ labels: labelsOf(labels, values), value: count })),
    }),
  }
}
