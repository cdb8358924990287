// Who is told of the calls and waits of which part.

import type { Figures } from '../metrics/figures.ts'
import { type WatchCall, watchBoth } from '../runtime/call-watch.ts'

/** Who is told of each kind of call. */
export interface Watches {
  readonly redis: WatchCall
  readonly postgresql: WatchCall
  readonly hashing: WatchCall
  /** Only while calls are traced: no figure is kept of so short a work. */
  readonly signing: WatchCall | undefined
}

/** `traced` are told as well, where calls are traced. */
export function openWatches(figures: Figures, traced: Partial<Watches> = {}): Watches {
  const { dependencyCalls, hashingWait } = figures
  const dependency = (name: string) =>
    timed((seconds, operation) => dependencyCalls.observe(seconds, name, operation))
  return {
    redis: watchBoth(dependency('redis'), traced.redis),
    postgresql: watchBoth(dependency('postgresql'), traced.postgresql),
    hashing: watchBoth(
      timed((seconds) => hashingWait.observe(seconds)),
      traced.hashing,
    ),
    signing: traced.signing,
  }
}

function timed(observe: (seconds: number, operation: string) => void): WatchCall {
  return (operation) => {
    const fromMs = performance.now()
    return () => observe((performance.now() - fromMs) / 1_000, operation)
  }
}
