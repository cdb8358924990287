// Whether two kinds of request take the same time: interleaved samples, their medians compared with
// a tolerance that forgives a busy machine and no skipped password hash.

import { CheckFailure, NotApplicable } from './conformance-check.ts'
import type { Answer } from './http-exchange.ts'

const TOLERANCE = 0.35
const FLOOR_MS = 2
const TIME_MAX_MS = 40_000
/** So many of each kind say something, where the service throttles before there are more. */
const SAMPLES_MIN = 5

type Attempt = () => Promise<Answer>

/**
 * Throws CheckFailure when the medians differ, NotApplicable when the service throttles or the time is
 * up before there are enough samples. Of a service that throttles later, those until then count.
 */
export async function compareTimes(
  what: string,
  samples: number,
  one: Attempt,
  other: Attempt,
): Promise<void> {
  const endsMs = performance.now() + TIME_MAX_MS
  const times: [number[], number[]] = [[], []]
  for (let n = 0; n < samples; n += 1) {
    if (performance.now() > endsMs) throw new NotApplicable('the service is too slow to be timed')
    const pair = await takeTimes([one, other], n % 2 === 1)
    if (!pair && n < SAMPLES_MIN) {
      throw new NotApplicable('the service throttles: no times to be had')
    }
    if (!pair) break
    times[0].push(pair[0])
    times[1].push(pair[1])
  }
  const [first, second] = times.map(medianOf)
  const difference = Math.abs((first ?? 0) - (second ?? 0))
  const isSame = difference <= FLOOR_MS + TOLERANCE * Math.max(first ?? 0, second ?? 0)
  if (isSame) return
  throw new CheckFailure(`${what} take ${toMs(first)} and ${toMs(second)} at the median`)
}

/**
 * One time of each; `isBackwards` asks the second one first, so that neither kind always comes second.
 * Undefined when the service throttled one of them.
 */
async function takeTimes(
  [one, other]: readonly [Attempt, Attempt],
  isBackwards: boolean,
): Promise<readonly [number, number] | undefined> {
  const attempts = isBackwards ? [other, one] : [one, other]
  const times: number[] = []
  for (const attempt of attempts) {
    const startedMs = performance.now()
    const { status } = await attempt()
    times.push(performance.now() - startedMs)
    if (status === 429 || status === 503) return undefined
  }
  const [first = 0, second = 0] = isBackwards ? times.toReversed() : times
  return [first, second]
}

function medianOf(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] ?? 0
}

function toMs(value: number | undefined): string {
  return `${(value ?? 0).toFixed(1)} ms`
}
