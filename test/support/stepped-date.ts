// One clock for the service and for the library that verifies its tokens: both read Date, so what a
// cache takes for ten minutes are ten minutes for the signing keys, too. It moves in steps alone.

import type { Test } from 'tap'

export interface SteppedDate {
  step(seconds: number): void
  stop(): void
}

/** Until it is stopped, at the end of the test at the latest; timers keep the machine's time. */
export function startSteppedDate(t: Test): SteppedDate {
  const RealDate = Date
  let nowMs = Date.now()
  // A proxy is still the one class of all dates, those from before and those from after.
  globalThis.Date = new Proxy(RealDate, {
    construct: (target, args, newTarget) =>
      Reflect.construct(target, args.length === 0 ? [nowMs] : args, newTarget),
    get: (target, member) => (member === 'now' ? () => nowMs : Reflect.get(target, member)),
  })
  const stop = () => {
    globalThis.Date = RealDate
  }
  t.teardown(stop)
  return {
    step(seconds) {
      nowMs += seconds * 1000
    },
    stop,
  }
}
