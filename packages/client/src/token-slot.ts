// One access token for many callers: kept until shortly before it expires, renewed by one request however
// many wait for it, and not asked for again at once where that has failed.

import { type ClientClock, isWithin } from './client-clock.ts'
import { retryAfterOf } from './client-errors.ts'
import { givenUpWith } from './give-up.ts'
import type { IssuedToken } from './issued-token.ts'

/** Renewed beside its callers after this share of its life, and at most the spread later. */
const RENEWAL_SHARE = 0.75
const RENEWAL_SPREAD = 0.1
/** Callers wait for the new one when the old one may expire on its way. */
const LATE_MS = 5_000
const LATE_SHARE = 0.05
/** After a failure; twice as long after each further one. */
const FIRST_PAUSE_MS = 1_000
const LONGEST_PAUSE_MS = 30_000
/** However long a server asks to be left alone. */
const LONGEST_ASKED_PAUSE_MS = 120_000
/** A resource that refuses every token must not have one asked for at each call. */
const DISCARD_EVERY_MS = 30_000

export interface TokenSlot {
  /** Throws what the request throws; the same error again while it pauses. */
  get(signal?: AbortSignal): Promise<IssuedToken>
  /** Whoever was refused with this token gets another one next; whether that is so. */
  discard(token: IssuedToken): boolean
}

interface Flight {
  readonly promise: Promise<IssuedToken>
  readonly controller: AbortController
  waiting: number
  isBackground: boolean
}

interface Kept {
  readonly token: IssuedToken
  readonly keptAtMs: number
  readonly renewAtMs: number
  readonly lateAtMs: number
}

export function createTokenSlot(
  obtain: (signal: AbortSignal) => Promise<IssuedToken>,
  clock: ClientClock,
): TokenSlot {
  let current: Kept | undefined
  let flight: Flight | undefined
  let pause: { error: unknown; atMs: number; lengthMs: number } | undefined
  let failures = 0
  let discardedAtMs = Number.NEGATIVE_INFINITY

  function keep(token: IssuedToken): IssuedToken {
    const lifeMs = token.expiresAtMs - token.issuedAtMs
    // At a moment that differs from one instance to the next.
    const share = RENEWAL_SHARE + RENEWAL_SPREAD * clock.random()
    current = {
      token,
      keptAtMs: clock.nowMs(),
      renewAtMs: token.issuedAtMs + lifeMs * share,
      lateAtMs: token.expiresAtMs - Math.min(LATE_MS, lifeMs * LATE_SHARE),
    }
    pause = undefined
    failures = 0
    return token
  }

  function fail(error: unknown): void {
    failures += 1
    const asked = (retryAfterOf(error) ?? 0) * 1000
    const ownMs = Math.min(LONGEST_PAUSE_MS, FIRST_PAUSE_MS * 2 ** (failures - 1))
    const pauseMs = Math.max(Math.min(asked, LONGEST_ASKED_PAUSE_MS), ownMs)
    const lengthMs = pauseMs * (1 + 0.25 * clock.random())
    pause = { error, atMs: clock.nowMs(), lengthMs }
  }

  function start(): Flight {
    const controller = new AbortController()
    const promise = obtain(controller.signal).then(keep, (error) => {
      if (!controller.signal.aborted) fail(error)
      throw error
    })
    const begun: Flight = { promise, controller, waiting: 0, isBackground: false }
    const end = () => {
      if (flight === begun) flight = undefined
    }
    promise.then(end, end)
    return begun
  }

  /** Whoever goes ends the request when nobody else waits for it. */
  async function join(joined: Flight, signal: AbortSignal | undefined): Promise<IssuedToken> {
    joined.waiting += 1
    try {
      return await givenUpWith(signal, joined.promise)
    } finally {
      joined.waiting -= 1
      if (signal?.aborted && joined.waiting === 0 && !joined.isBackground) {
        if (flight === joined) flight = undefined
        joined.controller.abort(signal.reason)
      }
    }
  }

  function usable(untilMs: number | undefined): IssuedToken | undefined {
    return current && clock.nowMs() < (untilMs ?? 0) ? current.token : undefined
  }

  /** Where the clock was set back nobody knows how old a token is: a new one is waited for. */
  function usableAtItsAge(untilMs: number | undefined): IssuedToken | undefined {
    return current && clock.nowMs() >= current.keptAtMs ? usable(untilMs) : undefined
  }

  return {
    async get(signal) {
      signal?.throwIfAborted()
      const fresh = usableAtItsAge(current?.renewAtMs)
      if (fresh) return fresh
      if (pause && isWithin(clock, pause.atMs, pause.lengthMs)) {
        const old = usable(current?.token.expiresAtMs)
        if (old) return old
        throw pause.error
      }
      flight ??= start()
      const ageing = usableAtItsAge(current?.lateAtMs)
      if (ageing) {
        flight.isBackground = true
        return ageing
      }
      try {
        return await join(flight, signal)
      } catch (error) {
        const last = usable(current?.token.expiresAtMs)
        if (last && !signal?.aborted) return last
        throw error
      }
    },

    discard(token) {
      // Another caller may have been here before.
      if (current?.token !== token) return true
      if (isWithin(clock, discardedAtMs, DISCARD_EVERY_MS)) return false
      discardedAtMs = clock.nowMs()
      current = undefined
      return true
    },
  }
}
