// Whether two kinds of request take the same time: interleaved samples, their medians compared with
// a tolerance that forgives a busy machine and no skipped password hash.

import { CheckFailure, NotApplicable } from './conformance-check.ts'
import type { Answer } from './http-exchange.ts'

const TOLERANCE = 0.35
const FLOOR_MS = 2
const TIME_MAX_MS = 40_000

type Attempt = () => Promise<Answer>

/**
 * Throws CheckFailure when the medians differ, NotApplicable when the service throttles or the time is
 * up before there are enough samples.
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
    // The order alternates, so that neither kind always comes second.
    const attempts = [
      [one, times[0]],
      [other, times[1]],
    ] as const
    for (const [attempt, taken] of n % 2 === 0 ? attempts : attempts.toReversed()) {
      taken.push(await takeTime(attempt))
    }
  }
  const [first, second] = times.map(medianOf)
  const difference = Math.abs((first ?? 0) - (second ?? 0))
  const isSame = difference <= FLOOR_MS + TOLERANCE * Math.max(first ?? 0, second ?? 0)
  if (isSame) return
  throw new CheckFailure(`${what} take ${toMs(first)} and ${toMs(second)} at the median`)
}

async function takeTime(attempt: Attempt): Promise<number> {
  const startedMs = performance.now()
  const { status } = await attempt()
  const takenMs = performance.now() - startedMs
  if (status === 429 || status === 503)
    throw new NotApplicable('the service throttles: no times to be had')
  return takenMs
}

function medianOf(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] ?? 0
}

function toMs(value: number | undefined): string {
  return `${(value ?? 0).toFixed(1)} ms`
}
