// Every client, in the memory of this instance, so that requests need no query. The poll notices
// changes made at other instances; this table reloads only when it is told to.

import { eachPage } from '../database/keyset-page.ts'
import type { Clock } from '../runtime/clock.ts'
import { DependencyUnavailable } from '../runtime/dependency-unavailable.ts'
import { StartError } from '../runtime/start-error.ts'
import type { Client } from './client.ts'
import { isClientId } from './client-id.ts'
import { openClientLookup } from './client-lookup.ts'
import { type ClientOverview, openClientTally } from './client-overview.ts'
import type { ClientSource, ClientVersion } from './client-source.ts'

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
   * Resolves when every change committed before this call is in force here. Reads every client the
   * first time, and where the log of changes does not tell what is new; else only those that changed.
   * The first time throws StartError when the bootstrap client's id is in the table.
   */
  reload(): Promise<void>
  /** As `reload`, for changes of this one client. */
  refresh(id: string): Promise<void>
  /** Whether the table has been loaded. */
  readonly ready: boolean
}

export interface ClientTableDependencies {
  readonly source: ClientSource
  readonly bootstrap: Client | undefined
  readonly clock: Clock
}

/** Opens an empty table; the first `reload` fills it. */
export function openClientTable(dependencies: ClientTableDependencies): ClientTable {
  const { source, bootstrap, clock } = dependencies
  const held = new Map<string, Client>()
  const tally = openClientTally()
  const lookup = openClientLookup(source, clock)
  let isLoaded = false
  let seen: ClientVersion | undefined
  let turn: Promise<unknown> = Promise.resolve()
  let queued: Promise<void> | undefined

  /** One change of the table at a time, so that what was read later is also written later. */
  function inTurn(work: () => Promise<void>): Promise<void> {
    const done = turn.then(work)
    turn = done.catch(() => {})
    return done
  }

  async function load(): Promise<void> {
    const changes = seen && (await source.readChanges(seen))
    if (!changes) return await loadAll()
    for (let start = 0; start < changes.ids.length; start += PAGE_SIZE) {
      await readAgain(changes.ids.slice(start, start + PAGE_SIZE))
    }
    seen = changes.newest
  }

  async function loadAll(): Promise<void> {
    // Before the clients: what changes meanwhile is read once more, never missed.
    const newest = await source.newestChange()
    const gone = new Set(held.keys())
    const pages = eachPage(PAGE_SIZE, { id: '' }, ({ id }: { id: string }) =>
      source.readAfter(id, PAGE_SIZE),
    )
    for await (const page of pages) {
      for (const client of page) {
        put(client.id, client)
        gone.delete(client.id)
      }
    }
    for (const id of gone) put(id, undefined)
    if (!isLoaded && bootstrap && held.has(bootstrap.id)) {
      throw new StartError('LINEAGE_ADMIN_CLIENT_ID is the id of a stored client')
    }
    isLoaded = true
    seen = newest
  }

  async function readAgain(ids: readonly string[]): Promise<void> {
    const clients = new Map(
      (await source.findMany(ids)).map((client) => [client.id as string, client]),
    )
    for (const id of ids) put(id, clients.get(id))
  }

  function put(id: string, client: Client | undefined): void {
    const before = held.get(id)
    if (before) tally.remove(before)
    if (client) tally.add(client)
    if (client) held.set(id, client)
    else held.delete(id)
    lookup.forget(id)
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
    await inTurn(() => readAgain([id]))
  }

  return {
    async find(id) {
      if (id === bootstrap?.id) return bootstrap
      if (!isLoaded) await reload()
      const known = held.get(id)
      // An id that no client can have is not looked up.
      if (known || !isClientId(id)) return known
      const found = await lookup.find(id)
      // Kept from now on: PostgreSQL may go away before the next poll.
      if (found) await refresh(id).catch(ignoreOutage)
      return held.get(id) ?? found
    },
    overview: tally.overview,
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
