// What `lineage doctor` says of the clock of a server.

import { type Finding, fail, ok, warn } from './finding.ts'

const WARN_MS = 2_000
/** The margin that a new signing key waits for, on top of the caches of verifiers. */
const FAIL_MS = 60_000

/** For a server whose clock said `theirMs` at some time between two moments of our own clock. */
export function checkClock(
  check: string,
  name: string,
  [fromMs, theirMs, toMs]: readonly [number, number, number],
): Finding {
  const aheadMs = Math.round(theirMs - (fromMs + toMs) / 2)
  // After a long wait the difference is only known roughly; what is uncertain counts in favour.
  const certainMs = Math.abs(aheadMs) - (toMs - fromMs) / 2
  const distance =
    certainMs > WARN_MS ? `${Math.round(certainMs / 1000)} s` : `${Math.abs(aheadMs)} ms`
  const detail = `${name} is ${distance} ${aheadMs < 0 ? 'behind' : 'ahead of'} us`
  const advice = `run NTP on this machine and on that of ${name}`
  if (certainMs > FAIL_MS) return fail(check, detail, advice)
  return certainMs > WARN_MS ? warn(check, detail, advice) : ok(check, detail)
}
