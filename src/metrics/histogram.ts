// How often something took how long, for each combination of labels: cumulative buckets, as
// Prometheus reads them.

import type { Sample } from '../runtime/metric-snapshot.ts'
import { openCells } from './cells.ts'
import { type LabelValues, labelsOf, type Metric, type MetricFacts } from './metric.ts'

/** Seconds. From what Redis takes up to what nobody waits for any more (2 s), and one beyond. */
const BUCKETS = [0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2, 5]

export interface Histogram<Labels extends readonly string[]> extends Metric {
  observe(seconds: number, ...values: LabelValues<Labels>): void
}

interface Cell {
  /** How many fell into each bucket alone; the last one is for what is above all of them. */
  readonly counts: number[]
  sum: number
}

function newCell(): Cell {
  return { counts: new Array<number>(BUCKETS.length + 1).fill(0), sum: 0 }
}

/** Opens a histogram; `zeros` are combinations that are shown from the beginning. */
export function openHistogram<const Labels extends readonly string[]>(
  facts: MetricFacts<Labels>,
  zeros: readonly LabelValues<Labels>[] = [],
): Histogram<Labels> {
  const { name, help, labels } = facts
  const cells = openCells(labels.length, newCell)
  for (const values of zeros) cells.at(values)
  return {
    facts,
    observe(seconds, ...values) {
      const cell = cells.at(values)
      let at = 0
      while (at < BUCKETS.length && seconds > (BUCKETS[at] ?? 0)) at += 1
      cell.counts[at] = (cell.counts[at] ?? 0) + 1
      cell.sum += seconds
    },
    snapshot: () => ({
      ...{ name, help, type: 'histogram', aggregator: 'sum' },
      values: cells
        .list()
        .flatMap(([values, cell]) => samplesOf(name, labelsOf(labels, values), cell)),
    }),
  }
}

function samplesOf(name: string, labels: Record<string, string>, { counts, sum }: Cell): Sample[] {
  let count = 0
  const buckets = counts.map((inBucket, index) => {
    count += inBucket
    const le = BUCKETS[index] ?? '+Inf'
    return { metricName: `${name}_bucket`, labels: { le, ...labels }, value: count }
  })
  return [
    ...buckets,
    { metricName: `${name}_sum`, labels, value: sum },
    { metricName: `${name}_count`, labels, value: count },
  ]
}
