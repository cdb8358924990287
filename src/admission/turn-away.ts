// How callers are turned away: with 503 and when to come back, but not at once.

import { OAuthError } from '../oauth/oauth-error.ts'
import type { LoadClass } from './load-class.ts'

/**
 * How long whoever is turned away waits to be told. A caller that asks again at once, as many do,
 * then comes back once in this time on each connection, instead of as often as it can be refused.
 */
const HELD_BACK_MS = 1_000
/** How many answers are held back; further ones are given at once. */
const HELD_BACK_MAX = 4_096

const RETRY_AFTER_SECONDS: Readonly<Record<LoadClass, number>> = {
  refresh: 1,
  client_credentials: 2,
  login: 4,
}

export interface TurnAway {
  /** Throws OAuthError `overloaded`, after a while. */
  refuse(loadClass: LoadClass): Promise<never>
  /** Resolves when a caller may be told that it is turned away. */
  holdBack(): Promise<void>
}

/** `onShed` is told of everybody who is refused. */
export function openTurnAway(onShed: (loadClass: LoadClass) => void): TurnAway {
  let heldBack = 0

  async function holdBack(): Promise<void> {
    if (heldBack >= HELD_BACK_MAX) return
    heldBack += 1
    await new Promise((resolve) => setTimeout(resolve, HELD_BACK_MS))
    heldBack -= 1
  }

  return {
    async refuse(loadClass) {
      onShed(loadClass)
      await holdBack()
      throw new OAuthError('overloaded', { retryAfterSeconds: RETRY_AFTER_SECONDS[loadClass] })
    },
    holdBack,
  }
}
