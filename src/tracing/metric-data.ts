// The figures of this process as OTLP has them: the same numbers under the same names as at /metrics.

import { type HrTime, ValueType } from '@opentelemetry/api'
import { AggregationTemporality, DataPointType, type MetricData } from '@opentelemetry/sdk-metrics'
import type { MetricSnapshot, Sample } from '../runtime/metric-snapshot.ts'

type Labels = Record<string, string | number>

/** All of them cumulative since `startTime`, when this process began. */
export function toMetricData(
  snapshots: readonly MetricSnapshot[],
  startTime: HrTime,
  endTime: HrTime,
): MetricData[] {
  return snapshots.map((snapshot) => {
    const { name, help, type, values } = snapshot
    const base = {
      descriptor: { name, description: help, unit: '', valueType: ValueType.DOUBLE },
      aggregationTemporality: AggregationTemporality.CUMULATIVE,
    }
    if (type === 'histogram') {
      const dataPoints = toHistograms(snapshot).map(([attributes, value]) => ({
        ...{ startTime, endTime, attributes, value },
      }))
      return { ...base, dataPointType: DataPointType.HISTOGRAM, dataPoints }
    }
    const dataPoints = values.map(({ labels, value }) => ({
      ...{ startTime, endTime, attributes: { ...labels }, value },
    }))
    return type === 'counter'
      ? { ...base, dataPointType: DataPointType.SUM, isMonotonic: true, dataPoints }
      : { ...base, dataPointType: DataPointType.GAUGE, dataPoints }
  })
}

interface HistogramValue {
  readonly buckets: { readonly boundaries: number[]; readonly counts: number[] }
  sum: number
  count: number
}

/** Prometheus tells for each bucket what is in it and all before it; OTLP what is in it alone. */
function toHistograms({ name, values }: MetricSnapshot): [Labels, HistogramValue][] {
  const found = new Map<string, [Labels, HistogramValue]>()
  for (const { labels, value, metricName } of values) {
    const { le, ...own } = labels
    const [, histogram] = entryOf(found, own)
    if (metricName === `${name}_sum`) histogram.sum = value
    else if (metricName === `${name}_count`) histogram.count = value
    else if (le !== undefined) {
      const { boundaries, counts } = histogram.buckets
      if (le !== '+Inf') boundaries.push(Number(le))
      counts.push(value - counts.reduce((sum, count) => sum + count, 0))
    }
  }
  return [...found.values()]
}

function entryOf(
  found: Map<string, [Labels, HistogramValue]>,
  labels: Sample['labels'],
): [Labels, HistogramValue] {
  const key = JSON.stringify(labels)
  let entry = found.get(key)
  if (!entry) {
    entry = [{ ...labels }, { buckets: { boundaries: [], counts: [] }, sum: 0, count: 0 }]
    found.set(key, entry)
  }
  return entry
}
