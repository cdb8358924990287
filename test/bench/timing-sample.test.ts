// `npm run bench:timing` as short as it can be: every pair of classes has a p-value, and a service that
// skips the work for unknown users is told apart. What p the service itself has is not looked at, since
// so few logins on a busy machine prove nothing.

import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'tap'
import type { Pair, TimingResults } from '../../bench/timing/main.ts'
import { compareSamples } from '../../bench/timing/two-samples.ts'
import { runScript } from './run-bench.ts'

const UNKNOWN = 'unknown user'

test('a short run of the measurement: all pairs, and a gross leak is found', (t) => {
  const file = join(t.testdir({}), 'results.json')
  const env = { BENCH_SAMPLES: '12', BENCH_RESULTS: file }
  const { status, stdout, stderr } = runScript('bench:timing', [], env)
  t.equal(status, 0, `${stdout}${stderr}`)
  const results = JSON.parse(readFileSync(file, 'utf8')) as TimingResults
  t.strictSame(Object.keys(results), [
    'as shipped',
    'no work for unknown users',
    'own hash alone for unknown users',
  ])
  for (const { samples, pairs } of Object.values(results)) {
    t.ok(samples >= 12)
    t.equal(pairs.length, 10, 'of five classes')
    for (const { p, medians } of pairs) {
      t.ok(p >= 0 && p <= 1 && medians.every((ms) => ms > 0))
    }
  }
  const leaky = results['no work for unknown users']?.pairs ?? []
  const isOfUnknown = ({ classes }: Pair) => classes.includes(UNKNOWN)
  t.equal(leaky.filter(isOfUnknown).length, 4)
  for (const { p, classes } of leaky.filter(isOfUnknown)) t.ok(p < 1e-3, `${classes}: ${p}`)
  t.end()
})

test('the test of two samples: what is known of its p-values', async (t) => {
  const numbers = (count: number, of: (index: number) => number) =>
    Array.from({ length: count }, (_, index) => of(index))
  const same = numbers(100, (index) => index)
  t.equal(compareSamples(same, same).p, 1)
  // By the same formula in Python, whose math.erfc is exact.
  const shifted = compareSamples(
    numbers(30, (index) => index),
    numbers(30, (index) => index + 5),
  )
  t.ok(Math.abs(shifted.p - 0.042747) < 1e-6, String(shifted.p))
  const apart = compareSamples(
    numbers(40, (index) => index),
    numbers(40, (index) => index + 100),
  )
  t.ok(apart.p < 1e-12 && apart.p > 0)
  t.equal(
    compareSamples(
      numbers(30, () => 1),
      numbers(30, () => 1),
    ).p,
    1,
    'nothing but ties',
  )
})
