// How long a server takes to answer something small, asked several times in a row: the first answer
// alone would tell of caches and of luck.

import { DEPENDENCY_DEADLINE_MS } from '../../runtime/deadline.ts'
import { type Finding, fail, ok, warn } from './finding.ts'

const SAMPLES = 9
/** A refresh waits for the store at least once, a login several times. */
const MEDIAN_WARN_MS = 20
/** Half of what a request waits for at all. */
const MEDIAN_FAIL_MS = DEPENDENCY_DEADLINE_MS / 2
const MAX_WARN_MS = 250

/** Rejects as `ask` does. */
export async function measureLatency(check: string, ask: () => Promise<unknown>): Promise<Finding> {
  const samples: number[] = []
  for (let count = 0; count < SAMPLES; count += 1) {
    const fromMs = performance.now()
    await ask()
    samples.push(performance.now() - fromMs)
  }
  return judgeLatency(check, samples)
}

/** `samples` are milliseconds; there is one at least. */
export function judgeLatency(check: string, samples: readonly number[]): Finding {
  const sorted = samples.toSorted((one, other) => one - other)
  const [min = 0] = sorted
  const median = sorted[Math.floor(sorted.length / 2)] ?? 0
  const max = sorted.at(-1) ?? 0
  const detail = `min ${show(min)}, median ${show(median)}, max ${show(max)} of ${sorted.length}`
  const advice = 'move the service nearer to it, or look for load on it and on the way there'
  if (median > MEDIAN_FAIL_MS) return fail(check, detail, advice)
  return median > MEDIAN_WARN_MS || max > MAX_WARN_MS
    ? warn(check, detail, advice)
    : ok(check, detail)
}

function show(ms: number): string {
  return `${ms < 10 ? ms.toFixed(1) : Math.round(ms)} ms`
}
