// Every client, in the memory of this instance, so that requests need no query. The poll notices
// changes made at other instances; this table reloads only when it is told to.

import { eachPage } from '../database/keyset-page.ts'
import type { Clock } from '../runtime/clock.ts'
import { DependencyUnavailable } from '../runtime/dependency-unavailable.ts'
import { StartError } from '../runtime/start-error.ts'
import type { Client } from './client.ts'
import { isClientId } from './client-id.ts'
import { openClientLookup } from './client-lookup.ts'
import { type ClientOverview, summarizeClients } from './client-overview.ts'
import type { ClientReader } from './client-reader.ts'

/** Clients of one query; other work runs between two queries. */
const PAGE_SIZE = 250

export interface ClientTable {
  /**
   * Serves the last copy while PostgreSQL is down, and rejects with DependencyUnavailable only as
   * long as there was none. An unknown id may look one row up first.
   */
  find(id: string): Promise<Client | undefined>
  /** Of every stored client; the virtual bootstrap client is not among them. */
  overview(): ClientOverview
  /**
   * Resolves when every change committed before this call is in force here; reads only clients that
   * are others than before. The first time throws StartError when the bootstrap client's id is in
   * the table.
   */
  reload(): Promise<void>
  /** As `reload`, for changes of this one client. */
  refresh(id: string): Promise<void>
  /** Whether the table has been loaded. */
  readonly ready: boolean
}

export interface ClientTableDependencies {
  readonly store: Pick<ClientReader, 'findMany' | 'loadMarks'>
  readonly bootstrap: Client | undefined
  readonly clock: Clock
}

interface Held {
  readonly client: Client
  /** Undefined for one that was read by itself: the next reload reads it once more. */
  readonly mark: string | undefined
}

/** Opens an empty table; the first `reload` fills it. */
export function openClientTable({ store, bootstrap, clock }: ClientTableDependencies): ClientTable {
  const held = new Map<string, Held>()
  const lookup = openClientLookup(store, clock)
  let isLoaded = false
  let overview: ClientOverview | undefined
  let turn: Promise<unknown> = Promise.resolve()
  let queued: Promise<void> | undefined

  /** One change of the table at a time, so that what was read later is also written later. */
  function inTurn(work: () => Promise<void>): Promise<void> {
    const done = turn.then(work)
    turn = done.catch(() => {})
    return done
  }

  async function load(): Promise<void> {
    const seen = new Set<string>()
    const pages = eachPage(PAGE_SIZE, { id: '' }, ({ id }: { id: string }) =>
      store.loadMarks(PAGE_SIZE, id),
    )
    for await (const page of pages) {
      await readChanged(page)
      for (const { id } of page) seen.add(id)
    }
    for (const id of held.keys()) if (!seen.has(id)) put(id, undefined)
    if (!isLoaded && bootstrap && held.has(bootstrap.id)) {
      throw new StartError('LINEAGE_ADMIN_CLIENT_ID is the id of a stored client')
    }
    isLoaded = true
  }

  async function readChanged(page: readonly { id: string; mark: string }[]): Promise<void> {
    const changed = page.filter(({ id, mark }) => held.get(id)?.mark !== mark)
    if (changed.length === 0) return
    const clients = await store.findMany(changed.map(({ id }) => id))
    const marks = new Map(changed.map(({ id, mark }) => [id, mark]))
    for (const client of clients) put(client.id, { client, mark: marks.get(client.id) })
  }

  function put(id: string, entry: Held | undefined): void {
    if (entry) held.set(id, entry)
    else held.delete(id)
    lookup.forget(id)
    overview = undefined
  }

  function reload(): Promise<void> {
    // A load that is running may have read too early for the caller; one that is queued has not
    // read yet.
    queued ??= inTurn(() => {
      queued = undefined
      return load()
    })
    return queued
  }

  async function refresh(id: string): Promise<void> {
    if (!isClientId(id)) return
    await inTurn(async () => {
      const [client] = await store.findMany([id])
      put(id, client && { client, mark: undefined })
    })
  }

  return {
    async find(id) {
      if (id === bootstrap?.id) return bootstrap
      if (!isLoaded) await reload()
      const known = held.get(id)?.client
      // An id that no client can have is not looked up.
      if (known || !isClientId(id)) return known
      const found = await lookup.find(id)
      // Kept from now on: PostgreSQL may go away before the next poll.
      if (found) await refresh(id).catch(ignoreOutage)
      return held.get(id)?.client ?? found
    },
    overview() {
      overview ??= summarizeClients([...held.values()].map(({ client }) => client))
      return overview
    },
    reload,
    refresh,
    get ready() {
      return isLoaded
    },
  }
}

function ignoreOutage(error: unknown): void {
  if (!(error instanceof DependencyUnavailable)) throw error
}
