// Many callers, each with a connection of its own, a pause between two requests, and patience or none
// when it is turned away. So the load does not wait for the service as a closed loop does, nor does it
// send what no caller would.

import { setTimeout as delay } from 'node:timers/promises'
import type { Chain } from './closed-loop.ts'
import { openConnection } from './http-connection.ts'

export interface Population {
  readonly port: number
  /** One caller each. */
  readonly chains: readonly Chain[]
  /** What all of them ask for together, while none is turned away. */
  readonly perSecond: number
  readonly seconds: number
  /** Before anything counts: connections are opened in it, and lines find their length. */
  readonly settleSeconds: number
  /** How long a caller waits after it was turned away, in milliseconds. */
  readonly patienceMs: number
}

export interface PopulationResult {
  /** How long those waited that were answered 200. */
  readonly goodMs: readonly number[]
  readonly seconds: number
  readonly statuses: ReadonlyMap<number, number>
}

/** Every caller begins at a moment of its own. Rejects when a connection breaks. */
export async function runPopulation(population: Population): Promise<PopulationResult> {
  const { port, chains, perSecond, seconds, settleSeconds, patienceMs } = population
  const goodMs: number[] = []
  const statuses = new Map<number, number>()
  const pauseMs = (chains.length / perSecond) * 1000
  const from = performance.now()
  const countsFrom = from + settleSeconds * 1000
  const endsAt = countsFrom + seconds * 1000

  async function live(chain: Chain, index: number): Promise<void> {
    const connection = await openConnection(port)
    let dueMs = from + (index / chains.length) * pauseMs
    try {
      for (; dueMs < endsAt; dueMs = nextTurn(dueMs + pauseMs, pauseMs)) {
        await delay(dueMs - performance.now())
        const sentMs = performance.now()
        const answer = await connection.send(chain.next() ?? '')
        if (sentMs >= countsFrom) {
          statuses.set(answer.status, (statuses.get(answer.status) ?? 0) + 1)
          if (answer.status === 200) goodMs.push(performance.now() - sentMs)
        }
        if (answer.status === 200) chain.answered?.(answer.body)
        else dueMs += patienceMs
      }
    } finally {
      connection.close()
    }
  }

  await Promise.all(chains.map(live))
  return { goodMs, statuses, seconds: (performance.now() - countsFrom) / 1000 }
}

/**
 * When a caller asks next that was due at `dueMs`: who was kept waiting for longer leaves turns out, and keeps
 * its own moment. If all of them asked when they were answered, one standstill would make a crowd of them for good.
 */
function nextTurn(dueMs: number, pauseMs: number): number {
  const lateMs = Math.max(0, performance.now() - dueMs)
  return dueMs + Math.ceil(lateMs / pauseMs) * pauseMs
}
