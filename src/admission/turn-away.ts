// How callers are turned away: with 503 and when to come back, but not at once.

import { OAuthError } from '../oauth/oauth-error.ts'
import type { Clock } from '../runtime/clock.ts'
import { LOAD_CLASSES, type LoadClass } from './load-class.ts'

/**
 * How long whoever is turned away waits to be told, at the least and at the most. A caller that asks again at
 * once, as many do, then comes back about once a second on each connection, instead of as often as it can be
 * refused. Those who came together are told one by one: else each second would begin with all of them.
 */
const HELD_BACK_MS = { least: 500, most: 1_500 }
/** How many answers are held back; further ones are given at once. */
const HELD_BACK_MAX = 4_096

/** Longer than anybody is held back, as those who were turned away are then asking again. */
const RECENTLY_MS = HELD_BACK_MS.most + 500

const RETRY_AFTER_SECONDS: Readonly<Record<LoadClass, number>> = {
  refresh: 1,
  client_credentials: 2,
  login: 4,
}

export interface TurnAway {
  /** Throws OAuthError `overloaded`, after a while. */
  refuse(loadClass: LoadClass): Promise<never>
  /** Of somebody whom another part has refused for lack of room: resolves when he may be told. */
  holdBack(loadClass: LoadClass): Promise<void>
  /** Whether somebody of this class was turned away a moment ago. */
  hasRefused(loadClass: LoadClass, nowMs: number): boolean
  /** Whether somebody of any class was. */
  hasRefusedAny(nowMs: number): boolean
}

/** `onShed` is told of everybody who is refused; `random` is at least 0 and below 1. */
export function openTurnAway(
  onShed: (loadClass: LoadClass) => void,
  clock: Clock,
  random: () => number = Math.random,
): TurnAway {
  const refusedAtMs = new Map<LoadClass, number>()
  let heldBack = 0

  async function holdBack(loadClass: LoadClass): Promise<void> {
    refusedAtMs.set(loadClass, clock())
    if (heldBack >= HELD_BACK_MAX) return
    heldBack += 1
    const { least, most } = HELD_BACK_MS
    await new Promise((resolve) => setTimeout(resolve, least + random() * (most - least)))
    heldBack -= 1
  }

  const hasRefused = (loadClass: LoadClass, nowMs: number) =>
    nowMs - (refusedAtMs.get(loadClass) ?? -Infinity) < RECENTLY_MS

  return {
    async refuse(loadClass) {
      onShed(loadClass)
      await holdBack(loadClass)
      throw new OAuthError('overloaded', { retryAfterSeconds: RETRY_AFTER_SECONDS[loadClass] })
    },
    holdBack,
    hasRefused,
    hasRefusedAny: (nowMs) => LOAD_CLASSES.some((loadClass) => hasRefused(loadClass, nowMs)),
  }
}
