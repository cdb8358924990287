// What every metric of ours has: facts, labels, and a snapshot on demand.

import type { MetricSnapshot } from '../runtime/metric-snapshot.ts'

/** A metric of ours: it can be asked at any time, and is never asked while it is counted. */
export interface Metric {
  readonly facts: MetricFacts<readonly string[]>
  snapshot(): MetricSnapshot | Promise<MetricSnapshot>
}

/** The name, the help and the labels of a metric. */
export interface MetricFacts<Labels extends readonly string[]> {
  readonly name: string
  readonly help: string
  readonly labels: Labels
}

/** One value for each label, in their order. */
export type LabelValues<Labels extends readonly string[]> = { readonly [K in keyof Labels]: string }

/** Label values by the names of their labels. */
export function labelsOf(
  names: readonly string[],
  values: readonly string[],
): Record<string, string> {
  return Object.fromEntries(names.map((name, index) => [name, values[index] ?? '']))
}
