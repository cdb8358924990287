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

/** Joins label values to one key: none of them holds a NUL, because all of them are words of ours. */
export function keyOf(values: readonly string[]): string {
  return values.length === 1 ? (values[0] ?? '') : values.join('\0')
}

/** The labels that a key was made of, by their names. */
export function labelsOf(names: readonly string[], key: string): Record<string, string> {
  const values = names.length === 0 ? [] : key.split('\0')
  return Object.fromEntries(names.map((name, index) => [name, values[index] ?? '']))
}
