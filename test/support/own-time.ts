// Whether this process does something in time, judged so that a busy machine is not what is measured.

import { setTimeout as delay } from 'node:timers/promises'

const TICK_MS = 50

/**
 * What the work settles as; rejects when it has not after at least `ms`, in short waits one after another. A
 * machine that holds this process up for seconds adds one of them, and the timers of the work, which run in the same
 * process, are due before that. Only for work that is ended by such a timer, or by what is in this process.
 */
export async function inOwnTime<T>(what: string, work: Promise<T>, ms: number): Promise<T> {
  const isOver = new AbortController()
  const { signal } = isOver
  async function giveUp(): Promise<never> {
    for (let leftMs = ms; leftMs > 0; leftMs -= TICK_MS) await delay(TICK_MS, undefined, { signal })
    throw new Error(`${what}: not within ${ms} ms of its own time`)
  }
  const patience = giveUp()
  patience.catch(() => {})
  try {
    return await Promise.race([work, patience])
  } finally {
    isOver.abort()
  }
}
