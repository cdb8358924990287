// Bounds how many password hashes run at once, how many wait and for how long (docs/semantics.md
// §7), so that a flood of logins does not take every core and all memory.

import { OAuthError } from '../oauth/oauth-error.ts'
import { availableCores } from '../runtime/available-cores.ts'
import { UNWATCHED, type WatchCall } from '../runtime/call-watch.ts'

export interface HashingLanesOptions {
  readonly lanes: number
  /** How many may wait. */
  readonly queueMax: number
  /** How long one may wait for a lane. */
  readonly waitMaxMs: number
  /** Told of every wait for a lane, also where one is free. */
  readonly watchWait?: WatchCall
}

export interface LanesLoad {
  /** How many hash now. */
  readonly active: number
  readonly waiting: number
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
   * Reserves a place in lanes and queue while `work` runs, which enters a lane by the function that
   * it is given. So a call that finds no place is refused before it has cost anything else. Throws
   * OAuthError `login_queue_full`.
   */
  admit<T>(work: (runInLane: RunInLane) => Promise<T>): Promise<T>
  load(): LanesLoad
}

const RETRY_AFTER_SECONDS = 2

/**
 * One core stays free for everything else, and one of libuv's `threads` (`UV_THREADPOOL_SIZE`),
 * which also look up names and read files. The queue is as long as can be worked off in about the
 * longest wait. Where several `processes` share the cores, they share the lanes.
 */
export function defaultHashingLanes(threads: number, processes = 1): HashingLanesOptions {
  const ofCores = Math.floor((availableCores() - 1) / processes)
  const lanes = Math.max(1, Math.min(ofCores, threads - 1))
  return { lanes, queueMax: lanes * 64, waitMaxMs: 2_000 }
}

export function openHashingLanes(options: HashingLanesOptions): HashingLanes {
  const { lanes, queueMax, waitMaxMs, watchWait = UNWATCHED } = options
  /** In order of arrival; calling a member hands it a lane. */
  const waiting = new Set<() => void>()
  let busy = 0
  /** How many are admitted: they have a lane, wait for one or have not asked for one yet. */
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

  /** Hands the lane to whoever has waited longest, so that no newcomer can take it. */
  function leaveLane(): void {
    const [next] = waiting
    if (next) next()
    else busy -= 1
  }

  async function enterLane(signal: AbortSignal | undefined): Promise<void> {
    const ended = watchWait('hash')
    try {
      if (busy < lanes) busy += 1
      else await waitForLane(signal)
      ended(false)
    } catch (error) {
      ended(true)
      throw error
    }
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
    load: () => ({ active: busy, waiting: waiting.size }),
  }
}
