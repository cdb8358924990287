// The keys that issuers publish, as this process has last seen them: looked for when they are asked for,
// never more often than their publisher or an attacker would notice.

import type { TraceCall } from '../outbound/trace-call.ts'
import { type Clock, monotonicClock } from '../runtime/clock.ts'
import { fetchJwks } from './fetch-jwks.ts'
import type { KeySource } from './key-source.ts'
import type { KeyUse, VerificationKey } from './verification-key.ts'

/** Between two looks at one place, for an unknown key and after a failure alike. */
const PAUSE_MS = 10_000
/** So long keys stay good that have gone stale, while their publisher is away. */
const STALE_MS = 60 * 60 * 1000
/** The place that was asked for least lately makes room. */
const PLACES_MAX = 1_000
/** So many requests wait for one look; whoever comes then is answered by what is known already. */
export const WAITING_MAX = 64

interface Place {
  keys: readonly VerificationKey[] | undefined
  freshUntilMs: number
  askedAtMs: number
  asking: Promise<void> | undefined
  waiting: number
}

export interface RemoteKeysOptions {
  /** Told of each look that failed, with the host and a word; every 10 s at most for one place. */
  readonly onFailed: (failure: { readonly host: string; readonly problem: string }) => void
  /** Counts from anywhere. */
  readonly clock?: Clock
  /** How long one look may take. */
  readonly timeoutMs?: number
  /** Told of every look. */
  readonly traceCall?: TraceCall
}

export interface RemoteKeys {
  /** Looks at nothing yet. */
  at(uri: string, allowPrivateNetwork: boolean, use?: KeyUse): KeySource
}

export function openRemoteKeys(options: RemoteKeysOptions): RemoteKeys {
  const { clock = monotonicClock, timeoutMs, onFailed, traceCall } = options
  const places = new Map<string, Place>()

  function placeOf(uri: string, allowPrivateNetwork: boolean, use: KeyUse | undefined): Place {
    // What was found where one may go is not shown to another who may not.
    const name = `${allowPrivateNetwork ? 'any' : 'public'} ${use ?? 'sig'} ${uri}`
    const place = places.get(name) ?? {
      keys: undefined,
      freshUntilMs: Number.NEGATIVE_INFINITY,
      askedAtMs: Number.NEGATIVE_INFINITY,
      asking: undefined,
      waiting: 0,
    }
    places.delete(name)
    places.set(name, place)
    const [oldest] = places.keys()
    if (places.size > PLACES_MAX && oldest !== undefined) places.delete(oldest)
    return place
  }

  return {
    at(uri, allowPrivateNetwork, use) {
      const place = placeOf(uri, allowPrivateNetwork, use)

      async function ask(): Promise<void> {
        place.askedAtMs = clock()
        const found = await fetchJwks(uri, allowPrivateNetwork, { timeoutMs, use, traceCall })
        if (found.keys) {
          place.keys = found.keys
          place.freshUntilMs = clock() + found.maxAgeMs
        } else
          onFailed({ host: URL.canParse(uri) ? new URL(uri).host : '', problem: found.problem })
      }

      const usable = () => (clock() < place.freshUntilMs + STALE_MS ? place.keys : undefined)

      /** One look at a time, for which those wait who come meanwhile. */
      async function look() {
        place.asking ??= ask().finally(() => {
          place.asking = undefined
        })
        place.waiting += 1
        await place.asking
        place.waiting -= 1
        return usable()
      }

      function mayLook(): boolean {
        if (place.asking) return place.waiting < WAITING_MAX
        return clock() >= place.askedAtMs + PAUSE_MS
      }

      return {
        current: () => (clock() >= place.freshUntilMs && mayLook() ? look() : usable()),
        renewed: () => (mayLook() ? look() : undefined),
      }
    },
  }
}
