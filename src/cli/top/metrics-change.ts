// What two looks at the same metrics say together: how much counters rose, and how long things took
// meanwhile. A counter that fell has begun anew, because a process ended: all of it is new then.

import type { Scrape } from './metrics-scrape.ts'
import type { MetricSample } from './metrics-text.ts'

/** A counter by one or several of its labels. */
export interface CounterChange {
  readonly labels: readonly string[]
  readonly total: number
  /** Undefined without a look before. */
  readonly perSecond: number | undefined
}

export interface HistogramChange extends CounterChange {
  /** Undefined where nothing happened between the looks, or there was none before. */
  readonly p50Seconds: number | undefined
  readonly p99Seconds: number | undefined
}

export interface MetricsChange {
  /** Between the looks; undefined without one before. */
  readonly seconds: number | undefined
  /** The sum of the series of a counter for each combination of these labels, in their order. */
  counters(name: string, labels: readonly string[]): readonly CounterChange[]
  /** The same for a histogram, without `_bucket` and the like in its name. */
  histograms(name: string, labels: readonly string[]): readonly HistogramChange[]
  /** The values of a gauge as they are now. */
  gauges(name: string): readonly MetricSample[]
}

/** Of the same service: `before` is the earlier look, if there was one. */
export function compareScrapes(before: Scrape | undefined, now: Scrape): MetricsChange {
  // Two looks in the same millisecond would divide by nothing.
  const seconds = before && Math.max(0.001, (now.atMs - before.atMs) / 1_000)

  function counters(name: string, labels: readonly string[]): CounterChange[] {
    const rises = risesOf(name, before, now)
    return [...groupBy(rises, labels).values()].map(({ values, members }) => {
      const total = sum(members.map(({ value }) => value))
      const rise = sum(members.map((member) => member.rise))
      return { labels: values, total, perSecond: seconds && rise / seconds }
    })
  }

  function histograms(name: string, labels: readonly string[]): HistogramChange[] {
    const buckets = groupBy(risesOf(`${name}_bucket`, before, now), labels)
    return counters(`${name}_count`, labels).map((change) => {
      const members = buckets.get(keyOf(change.labels))?.members ?? []
      const rises = before ? sumBuckets(members) : []
      return {
        ...change,
        p50Seconds: quantile(0.5, rises),
        p99Seconds: quantile(0.99, rises),
      }
    })
  }

  return { seconds, counters, histograms, gauges: (name) => now.samples.get(name) ?? [] }
}

/** One series, and how much it rose; all of it where it is new, or has begun anew. */
interface Rise extends MetricSample {
  readonly rise: number
}

function risesOf(name: string, before: Scrape | undefined, now: Scrape): Rise[] {
  const samples = now.samples.get(name) ?? []
  const earlier = new Map(
    (before?.samples.get(name) ?? []).map(({ labels, value }) => [seriesKey(labels), value]),
  )
  const valueBefore = ({ labels }: MetricSample) => earlier.get(seriesKey(labels)) ?? 0
  // The buckets of a histogram begin anew together, also those that have caught up meanwhile.
  const anew = new Set(
    samples
      .filter((sample) => sample.value < valueBefore(sample))
      .map(({ labels }) => seriesKey(labels, 'le')),
  )
  return samples.map((sample) => {
    const isAnew = anew.has(seriesKey(sample.labels, 'le'))
    return { ...sample, rise: isAnew ? sample.value : sample.value - valueBefore(sample) }
  })
}

interface Group {
  readonly values: readonly string[]
  readonly members: Rise[]
}

function groupBy(rises: readonly Rise[], labels: readonly string[]): Map<string, Group> {
  const groups = new Map<string, Group>()
  for (const rise of rises) {
    const values = labels.map((label) => rise.labels.get(label) ?? '')
    const group = groups.get(keyOf(values)) ?? { values, members: [] }
    group.members.push(rise)
    groups.set(keyOf(values), group)
  }
  return groups
}

/** How many were at most so long: by the bounds of the buckets, lowest first. */
type Buckets = readonly (readonly [bound: number, count: number])[]

function sumBuckets(members: readonly Rise[]): Buckets {
  const counts = new Map<number, number>()
  for (const { labels, rise } of members) {
    const text = labels.get('le') ?? ''
    const bound = text === '+Inf' ? Number.POSITIVE_INFINITY : Number(text)
    counts.set(bound, (counts.get(bound) ?? 0) + rise)
  }
  return [...counts].sort(([one], [other]) => one - other)
}

/** As `histogram_quantile` of Prometheus: evenly within a bucket, and never above the last bound. */
function quantile(share: number, buckets: Buckets): number | undefined {
  const all = buckets.at(-1)?.[1] ?? 0
  if (all <= 0) return undefined
  const rank = share * all
  const index = buckets.findIndex(([, count]) => count >= rank)
  const [bound, count] = buckets[index] ?? [Number.NaN, 0]
  const [lower, below] = buckets[index - 1] ?? [0, 0]
  if (bound === Number.POSITIVE_INFINITY) return lower
  return lower + (bound - lower) * ((rank - below) / (count - below))
}

function seriesKey(labels: ReadonlyMap<string, string>, without?: string): string {
  return keyOf([...labels].filter(([name]) => name !== without).flat())
}

function keyOf(values: readonly string[]): string {
  return JSON.stringify(values)
}

function sum(values: readonly number[]): number {
  return values.reduce((all, value) => all + value, 0)
}
