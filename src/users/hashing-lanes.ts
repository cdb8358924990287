// Lanes for heavy work: so many at once, a bounded queue before them, and a bound on waiting in
// it. Keeps a login flood from taking every core and all memory (DESIGN §7).

import { availableParallelism } from 'node:os'
import { OAuthError } from '../oauth/oauth-error.ts'

export interface HashingLanesOptions {
  readonly lanes: number
  /** How many may wait. */
  readonly queueMax: number
  /** How long one may wait for a lane. */
  readonly waitMaxMs: number
}

/** Runs `work` as soon as a lane is free, first come first served. */
export type RunInLane = <T>(work: () => Promise<T>, signal?: AbortSignal) => Promise<T>

export interface HashingLanes {
  /**
   * Runs `work` as soon as a lane is free, first come first served. Throws OAuthError
   * `login_queue_full`, or `login_queue_timeout` when the wait was too long or was aborted.
   */
  run: RunInLane
  /**
   * Takes a place, among those that lanes and queue have, for as long as `work` takes, which may then
   * enter a lane with the function that it is given. Whoever finds no place has cost nothing else yet.
   * Throws OAuthError `login_queue_full`.
   */
  admit<T>(work: (runInLane: RunInLane) => Promise<T>): Promise<T>
}

const RETRY_AFTER_SECONDS = 2

/**
 * One core stays free for everything else, and one of libuv's threads too (`threads`, Node's
 * `UV_THREADPOOL_SIZE`): names and files are looked up on them as well. A full queue is done
 * within about the longest wait.
 */
export function defaultHashingLanes(threads: number): HashingLanesOptions {
  const lanes = Math.max(1, Math.min(availableParallelism(), threads) - 1)
  return { lanes, queueMax: lanes * 64, waitMaxMs: 2_000 }
}

export function openHashingLanes(options: HashingLanesOptions): HashingLanes {
  const { lanes, queueMax, waitMaxMs } = options
  /** In order of arrival; calling one gives it a lane. */
  const waiting = new Set<() => void>()
  let busy = 0
  /** Those in a lane, in the queue, or admitted and about to come. */
  let places = 0

  function waitForLane(signal: AbortSignal | undefined): Promise<void> {
    return new Promise((resolve, reject) => {
      const leaveQueue = () => {
        waiting.delete(enter)
        clearTimeout(timer)
        signal?.removeEventListener('abort', giveUp)
      }
      const enter = () => {
        leaveQueue()
        resolve()
      }
      const giveUp = () => {
        leaveQueue()
        reject(new OAuthError('login_queue_timeout', { retryAfterSeconds: RETRY_AFTER_SECONDS }))
      }
      const timer = setTimeout(giveUp, waitMaxMs)
      signal?.addEventListener('abort', giveUp)
      waiting.add(enter)
      if (signal?.aborted) giveUp()
    })
  }

  async function enterLane(signal: AbortSignal | undefined): Promise<void> {
    if (busy < lanes) {
      busy += 1
      return
    }
    await waitForLane(signal)
  }

  /** Hands the lane to whoever has waited longest, so that nobody new slips in between. */
  function leaveLane(): void {
    const [next] = waiting
    if (next) next()
    else busy -= 1
  }

  async function runInLane<T>(work: () => Promise<T>, signal?: AbortSignal): Promise<T> {
    await enterLane(signal)
    try {
      return await work()
    } finally {
      leaveLane()
    }
  }

  async function admit<T>(work: (runInLane: RunInLane) => Promise<T>): Promise<T> {
    if (places >= lanes + queueMax) {
      throw new OAuthError('login_queue_full', { retryAfterSeconds: RETRY_AFTER_SECONDS })
    }
    places += 1
    try {
      return await work(runInLane)
    } finally {
      places -= 1
    }
  }

  return {
    run: (work, signal) => admit((run) => run(work, signal)),
    admit,
  }
}
