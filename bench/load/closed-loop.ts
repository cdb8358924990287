// A closed loop of requests: so many at once, each chain waiting for its own answers.

import { openConnection } from './http-connection.ts'

/** What one connection sends, one request after another. */
export interface Chain {
  /** Undefined when the chain has nothing more to send. */
  next(): string | undefined
  answered?(body: string): void
}

export interface Load {
  readonly port: number
  readonly chains: readonly Chain[]
  /**
   * Until when requests begin, from when all connections are open; the last answers are waited for.
   * Every chain sends once at least. Without it the chains end by themselves.
   */
  readonly seconds?: number
  /** Whether whoever asked for the load has had enough of it. */
  readonly isOver?: () => boolean
  /** Any other status fails the run; by default 200 alone is right. */
  readonly statuses?: ReadonlySet<number>
}

export interface LoadResult {
  readonly seconds: number
  readonly latenciesMs: readonly number[]
  /** How often each status came. */
  readonly statuses: ReadonlyMap<number, number>
}

const OK = new Set([200])

/** Throws with what the server said when an answer has another status than those that are right. */
export async function runLoad(load: Load): Promise<LoadResult> {
  const { port, chains, seconds = Number.POSITIVE_INFINITY, statuses = OK } = load
  const connections = await Promise.all(chains.map(() => openConnection(port)))
  const latenciesMs: number[] = []
  const counts = new Map<number, number>()
  const from = performance.now()
  const endsAt = from + seconds * 1000
  const isOver = () => performance.now() >= endsAt || load.isOver?.()

  async function runChain(chain: Chain, index: number): Promise<void> {
    for (let isFirst = true; isFirst || !isOver(); isFirst = false) {
      const request = chain.next()
      if (request === undefined) return
      const sentAt = performance.now()
      const answer = await connections[index]?.send(request)
      if (!answer) return
      latenciesMs.push(performance.now() - sentAt)
      counts.set(answer.status, (counts.get(answer.status) ?? 0) + 1)
      if (!statuses.has(answer.status)) {
        const line = request.slice(0, request.indexOf(' HTTP/'))
        throw new Error(`${line} at port ${port}: ${answer.status} ${answer.body}`)
      }
      chain.answered?.(answer.body)
    }
  }

  try {
    await Promise.all(chains.map(runChain))
    return { seconds: (performance.now() - from) / 1000, latenciesMs, statuses: counts }
  } finally {
    for (const connection of connections) connection.close()
  }
}
