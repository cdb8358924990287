// The throttle put together: counters where the families live, with memory behind them.

import { openBackedCounters } from '../throttle/backed-counters.ts'
import { openMemoryCounters } from '../throttle/memory-counters.ts'
import { openSourceList } from '../throttle/source-list.ts'
import { NO_THROTTLE, openThrottle, type Throttle } from '../throttle/throttle.ts'
import type { Foundation } from './foundation.ts'
import type { OpenedFamilyStore } from './open-family-store.ts'

type Parts = Pick<Foundation, 'config' | 'clock' | 'audit' | 'outages' | 'figures'>

export function openServiceThrottle(
  { config, clock, audit, outages, figures }: Parts,
  { counters, store }: Pick<OpenedFamilyStore, 'counters' | 'store'>,
): Throttle {
  if (config.throttle === 'off') return NO_THROTTLE
  return openThrottle({
    counters: openBackedCounters({
      store: counters,
      memory: openMemoryCounters(),
      onAway: ({ because, message }) =>
        because === 'outage' && outages.failed(store.name, { detail: message }),
    }),
    key: config.rootSecrets.current.throttleKey,
    isExempt: openSourceList(config.throttleExempt),
    clock,
    recordEvent: audit.recordEvent,
    onRefused: figures.throttled.add,
  })
}
