// Whether somebody who guesses is slowed down at some point: by 429 or 503, by a refusal of another
// kind, or by answers that take ever longer.

import { CheckFailure, NotApplicable } from './conformance-check.ts'
import type { Answer } from './http-exchange.ts'

const AT_ONCE = 4
const TIME_MAX_MS = 45_000
/**
 * Slowed down means: SLOW_BATCHES batches in a row that each take over SLOWER_MIN_MS and over
 * SLOWER times as long as the first.
 */
const SLOWER = 5
const SLOWER_MIN_MS = 500
const SLOW_BATCHES = 3

/**
 * Throws CheckFailure when all guesses went through: none got 429, 503 or 403, none was cut off,
 * and the answers did not get slower. NotApplicable when they cannot be sent in 45 s.
 */
export async function expectThrottled(
  what: string,
  guesses: number,
  attempt: (n: number) => Promise<Answer | undefined>,
): Promise<void> {
  const endsMs = performance.now() + TIME_MAX_MS
  let firstMs: number | undefined
  let slowBatches = 0
  for (let n = 0; n < guesses; n += AT_ONCE) {
    const startedMs = performance.now()
    const answers = await Promise.all(
      Array.from({ length: AT_ONCE }, (_, index) => attempt(n + index)),
    )
    if (answers.some((answer) => answer === undefined || isThrottled(answer))) return
    const takenMs = performance.now() - startedMs
    firstMs ??= takenMs
    const isSlow = takenMs > Math.max(SLOWER_MIN_MS, SLOWER * firstMs)
    slowBatches = isSlow ? slowBatches + 1 : 0
    if (slowBatches === SLOW_BATCHES) return
    if (performance.now() > endsMs)
      throw new NotApplicable('the service is too slow to be guessed at')
  }
  throw new CheckFailure(`${guesses} ${what} were judged one after another, none was held up`)
}

function isThrottled({ status }: Answer): boolean {
  return status === 429 || status === 503 || status === 403
}
