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

export interface HashingLanes {
  /**
   * Runs `work` as soon as a lane is free, first come first served. Throws OAuthError
   * `login_queue_full`, or `login_queue_timeout` when the wait was too long or was aborted.
   */
  run<T>(work: () => Promise<T>, signal?: AbortSignal): Promise<T>
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
    if (waiting.size >= queueMax) {
      throw new OAuthError('login_queue_full', { retryAfterSeconds: RETRY_AFTER_SECONDS })
    }
    await waitForLane(signal)
  }

  /** Hands the lane to whoever has waited longest, so that nobody new slips in between. */
  function leaveLane(): void {
    const [next] = waiting
    if (next) next()
    else busy -= 1
  }

  return {
    async run(work, signal) {
      await enterLane(signal)
      try {
        return await work()
      } finally {
        leaveLane()
      }
    },
  }
}
