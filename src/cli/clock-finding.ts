// What `lineage doctor` says of a clock that is not ours.

import { type Finding, fail, ok, warn } from './finding.ts'

const WARN_MS = 2_000
/** What a new signing key waits beyond the caches of verifiers. */
const FAIL_MS = 60_000

/** Of a clock that said `theirMs` somewhere between the two moments of ours. */
export function judgeClock(
  check: string,
  name: string,
  [fromMs, theirMs, toMs]: readonly [number, number, number],
): Finding {
  const aheadMs = Math.round(theirMs - (fromMs + toMs) / 2)
  // An answer that took long says little, and nothing bad.
  const certainMs = Math.abs(aheadMs) - (toMs - fromMs) / 2
  const distance =
    certainMs > WARN_MS ? `${Math.round(certainMs / 1000)} s` : `${Math.abs(aheadMs)} ms`
  const detail = `${name} is ${distance} ${aheadMs < 0 ? 'behind' : 'ahead of'} us`
  const advice = `run NTP on this machine and on that of ${name}`
  if (certainMs > FAIL_MS) return fail(check, detail, advice)
  return certainMs > WARN_MS ? warn(check, detail, advice) : ok(check, detail)
}
