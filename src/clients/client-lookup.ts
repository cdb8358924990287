// Ids that the table in memory does not hold: made on another instance a moment ago, or nobody's.
// Whoever asks with invented ids costs one small query at a time, however many ask.

import type { Clock } from '../runtime/clock.ts'
import { DependencyUnavailable } from '../runtime/dependency-unavailable.ts'
import type { Client } from './client.ts'
import type { ClientReader } from './client-reader.ts'

/** How often one id is asked for, and how often a database that does not answer. */
const ASK_INTERVAL_MS = 1_000
/** Ids of one query, and so of those that may wait for it. */
const BATCH_MAX = 256
const KNOWN_MAX = 10_000

export interface ClientLookup {
  /**
   * As PostgreSQL had it a second ago at most. Undefined too where PostgreSQL does not answer, or
   * more ids wait than one query takes: then the id is unknown as far as we know.
   */
  find(id: string): Promise<Client | undefined>
  /** To be called after each change of the client: what was learnt of it is void. */
  forget(id: string): void
}

interface Known {
  readonly client: Client | undefined
  readonly atMs: number
}

interface Batch {
  readonly ids: Set<string>
  readonly answer: Promise<ReadonlyMap<string, Client>>
}

export function openClientLookup(
  store: Pick<ClientReader, 'findMany'>,
  clock: Clock,
): ClientLookup {
  const known = new Map<string, Known>()
  let running: Promise<unknown> = Promise.resolve()
  let next: Batch | undefined
  let failedAtMs = Number.NEGATIVE_INFINITY
  let changes = 0

  /** By distance, so that a clock set back does not silence the question for long. */
  const isRecent = (atMs: number) => Math.abs(clock() - atMs) < ASK_INTERVAL_MS

  async function ask(ids: ReadonlySet<string>): Promise<ReadonlyMap<string, Client>> {
    // Whoever waited for a query that failed does not wait for another one.
    if (isRecent(failedAtMs)) return new Map()
    const changesBefore = changes
    try {
      const clients = await store.findMany([...ids])
      const found = new Map(clients.map((client) => [String(client.id), client]))
      if (changes === changesBefore) for (const id of ids) remember(id, found.get(id))
      return found
    } catch (error) {
      if (!(error instanceof DependencyUnavailable)) throw error
      failedAtMs = clock()
      return new Map()
    }
  }

  function remember(id: string, client: Client | undefined): void {
    known.delete(id)
    const [oldest] = known.keys()
    if (known.size >= KNOWN_MAX && oldest !== undefined) known.delete(oldest)
    known.set(id, { client, atMs: clock() })
  }

  /** Behind the query under way, so that there is one at a time. */
  function openBatch(): Batch {
    const ids = new Set<string>()
    const answer = running.then(() => {
      next = undefined
      return ask(ids)
    })
    running = answer.catch(() => {})
    return { ids, answer }
  }

  return {
    async find(id) {
      const entry = known.get(id)
      if (entry && isRecent(entry.atMs)) return entry.client
      if (isRecent(failedAtMs)) return undefined
      next ??= openBatch()
      const { ids, answer } = next
      if (ids.size >= BATCH_MAX && !ids.has(id)) return undefined
      ids.add(id)
      return (await answer).get(id)
    },

    forget(id) {
      known.delete(id)
      changes += 1
    },
  }
}
