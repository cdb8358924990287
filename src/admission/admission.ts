// Which request for tokens may begin, so that a service that is asked for more than it can do goes on
// with what matters most (docs/semantics.md §26).

import { OAuthError } from '../oauth/oauth-error.ts'
import { type Clock, monotonicClock } from '../runtime/clock.ts'
import { openClassLine, type Work } from './class-line.ts'
import type { LoadClass } from './load-class.ts'
import { openRefreshSlots } from './refresh-slots.ts'
import { openSpareTime, workedMs } from './spare-time.ts'
import { openSpareTurns } from './spare-turns.ts'
import { openTurnAway, type TurnAway } from './turn-away.ts'

export interface Admission {
  /**
   * Begins the work when it is its turn, and never when the caller has hung up by then. Throws
   * OAuthError `overloaded`, after a while, when it did not come to its turn.
   */
  run<T>(loadClass: LoadClass, work: Work<T>): Promise<T>
  /**
   * For a refresh that was begun: waits for an answer that does not come from our stores, which may take long,
   * without holding one of the places of refreshes meanwhile.
   */
  stepAside<T>(waiting: Promise<T>): Promise<T>
}

/** However many refreshes there are, so many tokens of clients are begun: some 50 a second. */
const SERVICE_AT_LEAST_EVERY_MS = 20
/** Hashing one password costs what hundreds of refreshes cost, on a core that this process may need. */
const LOGIN_AT_LEAST_EVERY_MS = 1_000
/** After so long without a refresh nothing is kept free for the next one. */
const LATELY_MS = 1_000

export interface AdmissionOptions {
  /** Told of everybody who is turned away. */
  readonly onShed?: (loadClass: LoadClass) => void
  /** For durations. */
  readonly clock?: Clock
  /** For how long the event loop has worked so far, in milliseconds; that of this process unless given. */
  readonly worked?: () => number
}

export function openAdmission(options: AdmissionOptions = {}): Admission {
  const { onShed = () => {}, clock = monotonicClock, worked = workedMs } = options
  const turnAway = openTurnAway(onShed, clock)
  const open = (loadClass: LoadClass) => openClassLine(loadClass, { turnAway, clock })
  const [services, logins] = [open('client_credentials'), open('login')]
  const giveWayTo = (...classes: LoadClass[]) => ({
    hasToGiveWay: (nowMs: number) => classes.some((name) => turnAway.hasRefused(name, nowMs)),
  })
  const refreshes = openRefreshSlots(open('refresh'), clock)
  const hasSpareTime = openSpareTime({ worked, clock })
  const hasRefreshes = () => clock() - (refreshes.lastBegunAtMs() ?? -Infinity) < LATELY_MS
  const askForTurn = openSpareTurns({
    lines: [
      { line: services, ...giveWayTo('refresh'), atLeastEveryMs: SERVICE_AT_LEAST_EVERY_MS },
      {
        line: logins,
        ...giveWayTo('refresh', 'client_credentials'),
        atLeastEveryMs: LOGIN_AT_LEAST_EVERY_MS,
      },
    ],
    isBusy: () => refreshes.underway() > 0,
    hasTime: () => !turnAway.hasRefusedAny(clock()) || !hasRefreshes() || hasSpareTime(),
    clock,
  })
  return {
    run(loadClass, work) {
      if (loadClass === 'refresh') return refreshes.run(work)
      askForTurn()
      if (loadClass === 'client_credentials') return services.wait(work)
      return slowly(logins.wait(work), turnAway)
    },
    stepAside: refreshes.stepAside,
  }
}

/** The queue before the hashing refuses at once, and everybody who is turned away waits to be told. */
async function slowly<T>(login: Promise<T>, { holdBack }: TurnAway): Promise<T> {
  try {
    return await login
  } catch (error) {
    if (error instanceof OAuthError && error.reason === 'login_queue_full') await holdBack('login')
    throw error
  }
}
