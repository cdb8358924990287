// Looks up ids that the table in memory does not hold: clients made on another instance a moment
// ago, or invented ids. However many are asked for, there is one small query at a time.

import type { Clock } from '../runtime/clock.ts'
import { DependencyUnavailable } from '../runtime/dependency-unavailable.ts'
import type { Client } from './client.ts'
import type { ClientSource } from './client-source.ts'

/** How soon the same id is looked up again, and a database that did not answer is asked again. */
const ASK_INTERVAL_MS = 1_000
/** How many ids one query looks up, and so how many may wait for it. */
const BATCH_MAX = 256
const KNOWN_MAX = 10_000

export interface ClientLookup {
  /**
   * The client as it was in PostgreSQL within the last second. Undefined also when PostgreSQL does
   * not answer or too many ids wait.
   */
  find(id: string): Promise<Client | undefined>
  /** Forgets what was found for the id; to be called after each change of the client. */
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
  source: Pick<ClientSource, 'findMany'>,
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
    // Ids that waited for a query that failed are not looked up by another one.
    if (isRecent(failedAtMs)) return new Map()
    const changesBefore = changes
    try {
      const clients = await source.findMany([...ids])
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

  /** Runs after the query under way, so that there is one at a time. */
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
