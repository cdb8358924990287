// What rose between two looks: counters that begin anew, series that are new, and how long things took.

import { test } from 'tap'
import { compareScrapes } from '../../../src/cli/top/metrics-change.ts'
import { parseMetricsText } from '../../../src/cli/top/metrics-text.ts'

const at = (seconds: number, text: string) => ({
  samples: parseMetricsText(text),
  atMs: seconds * 1_000,
})

test('a rate is the rise by the time between the looks, whatever the total', async (t) => {
  const change = compareScrapes(at(10, 'a 1000'), at(12, 'a 1030'))
  t.equal(change.seconds, 2)
  t.strictSame(change.counters('a', []), [{ labels: [], total: 1030, perSecond: 15 }])
})

test('without a look before there is a total and no rate', async (t) => {
  const change = compareScrapes(undefined, at(1, 'a 7\nh_bucket{le="+Inf"} 1\nh_count 1'))
  t.strictSame(change.counters('a', []), [{ labels: [], total: 7, perSecond: undefined }])
  t.match(change.histograms('h', []), [{ total: 1, p50Seconds: undefined, p99Seconds: undefined }])
})

test('a counter that fell has begun anew, one of many too; a new series counts as a whole', async (t) => {
  const before = at(0, 'a{w="1",o="ok"} 100\na{w="2",o="ok"} 50')
  const now = at(1, 'a{w="1",o="ok"} 4\na{w="2",o="ok"} 53\na{w="2",o="bad"} 2')
  t.strictSame(compareScrapes(before, now).counters('a', ['o']), [
    { labels: ['ok'], total: 57, perSecond: 7 },
    { labels: ['bad'], total: 2, perSecond: 2 },
  ])
})

test('the same labels in another order are the same series', async (t) => {
  const before = at(0, 'a{x="1",y="2"} 5\na{x="2",y="1"} 9')
  const now = at(1, 'a{x="1",y="2"} 6\na{x="2",y="1"} 9')
  t.equal(compareScrapes(before, now).counters('a', [])[0]?.perSecond, 1)
})

test('looks in the same millisecond give a number', async (t) => {
  const [found] = compareScrapes(at(1, 'a 1'), at(1, 'a 2')).counters('a', [])
  t.ok(Number.isFinite(found?.perSecond))
})

const histogram = (counts: readonly number[], labels = '') => {
  const bounds = ['0.1', '0.2', '0.4', '+Inf']
  const lines = bounds.map((le, index) => `h_bucket{le="${le}"${labels}} ${counts[index]}`)
  const own = labels === '' ? '' : `{${labels.slice(1)}}`
  return [...lines, `h_sum${own} 1`, `h_count${own} ${counts.at(-1)}`].join('\n')
}

test('quantiles are those of what happened between the looks, evenly within a bucket', async (t) => {
  const change = compareScrapes(
    at(0, histogram([1_000, 1_000, 1_000, 1_000])),
    at(1, histogram([1_000, 1_010, 1_020, 1_020])),
  )
  t.match(change.histograms('h', []), [{ perSecond: 20, p50Seconds: 0.2 }])
  t.equal(change.histograms('h', [])[0]?.p99Seconds?.toFixed(3), '0.396')
})

test('the lowest bucket begins at zero, and what is above all bounds counts as the last one', async (t) => {
  const zero = histogram([0, 0, 0, 0])
  const low = compareScrapes(at(0, zero), at(1, histogram([10, 10, 10, 10]))).histograms('h', [])[0]
  t.equal(low?.p50Seconds, 0.05)
  const high = compareScrapes(at(0, zero), at(1, histogram([0, 0, 0, 10]))).histograms('h', [])[0]
  t.equal(high?.p99Seconds, 0.4)
  const none = compareScrapes(at(0, zero), at(1, zero)).histograms('h', [])[0]
  t.match(none, { perSecond: 0, p50Seconds: undefined, p99Seconds: undefined })
})

/** In milliseconds, as fractions of a second are seldom exact. */
function medians(before: string, now: string, labels: readonly string[]) {
  return compareScrapes(at(0, before), at(1, now))
    .histograms('h', labels)
    .map(({ labels: values, perSecond, p50Seconds }) => [
      ...values,
      perSecond,
      p50Seconds && Math.round(p50Seconds * 1_000),
    ])
}

test('a histogram that began anew tells of what came after, in all of its buckets', async (t) => {
  t.strictSame(medians(histogram([5, 9, 9, 9]), histogram([0, 4, 4, 4]), []), [[4, 150]])
  t.strictSame(medians(histogram([0, 2, 9, 9]), histogram([4, 4, 4, 4]), []), [[4, 50]])
})

test('histograms are added up by the labels that are asked for', async (t) => {
  const text = (one: number) =>
    `${histogram([0, one, one, one], ',r="a",m="x"')}\n${histogram([one, one, one, one], ',r="a",m="y"')}`
  t.strictSame(medians(text(0), text(2), ['r']), [['a', 4, 100]])
  t.strictSame(medians(text(0), text(2), ['r', 'm']), [
    ['a', 'x', 2, 150],
    ['a', 'y', 2, 50],
  ])
})
