// Every client, in the memory of this instance, so that requests ask no database for theirs. Who
// notices changes of other instances is the poll; this table only reloads when told.

import type { Clock } from '../runtime/clock.ts'
import { DependencyUnavailable } from '../runtime/dependency-unavailable.ts'
import { StartError } from '../runtime/start-error.ts'
import type { Client } from './client.ts'
import { isClientId } from './client-id.ts'
import type { ClientStore } from './client-store.ts'

/** How often ids that the table does not know may ask PostgreSQL, all of them together. */
const UNKNOWN_ASK_INTERVAL_MS = 1_000

export interface ClientTable {
  /**
   * Serves the last copy while PostgreSQL is down, and rejects with DependencyUnavailable only as
   * long as there was none. An unknown id may reload the table first.
   */
  find(id: string): Promise<Client | undefined>
  /** Every stored client, oldest first; the virtual bootstrap client is not among them. */
  list(): readonly Client[]
  /**
   * Resolves when every change committed before this call is in force here. The first time throws
   * StartError when the bootstrap client's id is in the table.
   */
  reload(): Promise<void>
  /** Whether the table has been loaded. */
  readonly ready: boolean
}

export interface ClientTableDependencies {
  readonly store: Pick<ClientStore, 'loadAll'>
  readonly bootstrap: Client | undefined
  readonly clock: Clock
}

/** Opens an empty table; the first `reload` fills it. */
export function openClientTable({ store, bootstrap, clock }: ClientTableDependencies): ClientTable {
  let clients: ReadonlyMap<string, Client> | undefined
  let running: Promise<void> | undefined
  let queued: Promise<void> | undefined
  let askedAtMs = Number.NEGATIVE_INFINITY

  async function load(): Promise<void> {
    const loaded = new Map((await store.loadAll()).map((client) => [String(client.id), client]))
    if (!clients && bootstrap && loaded.has(bootstrap.id)) {
      throw new StartError('LINEAGE_ADMIN_CLIENT_ID is the id of a stored client')
    }
    clients = loaded
  }

  function reload(): Promise<void> {
    if (!running) {
      running = load().finally(() => {
        running = undefined
      })
      return running
    }
    // The load under way may have read before the caller's change: one more follows it.
    queued ??= running
      .catch(() => {})
      .then(() => {
        queued = undefined
        return reload()
      })
    return queued
  }

  async function askForUnknown(): Promise<void> {
    const nowMs = clock()
    // By distance, so that a clock set back does not silence the question for long.
    if (!running && Math.abs(nowMs - askedAtMs) < UNKNOWN_ASK_INTERVAL_MS) return
    askedAtMs = nowMs
    try {
      await (running ?? reload())
    } catch (error) {
      if (!(error instanceof DependencyUnavailable)) throw error
    }
  }

  return {
    async find(id) {
      if (id === bootstrap?.id) return bootstrap
      // An id that no client can have asks nobody.
      if (!clients?.has(id) && isClientId(id)) await askForUnknown()
      if (!clients) throw new DependencyUnavailable('postgresql', 'no client was ever loaded')
      return clients.get(id)
    },
    list: () => [...(clients?.values() ?? [])],
    reload,
    get ready() {
      return clients !== undefined
    },
  }
}
