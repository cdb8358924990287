// Clients as administrators read them from PostgreSQL: one, or page by page. No query grows with the
// number of clients.

import { guardDatabase } from '../database/database.ts'
import {
  eachPage,
  OLDEST_FIRST,
  type Page,
  type PageRequest,
  readPage,
} from '../database/keyset-page.ts'
import type { LoadPrisma } from '../database/prisma.ts'
import type { Client } from './client.ts'
import type { ClientLimits } from './client-draft.ts'
import { rowToClient, WITH_SECRETS } from './client-row.ts'

/** Rows of one query where all of them are wanted. */
const PAGE_SIZE = 500

/** Every method rejects with DependencyUnavailable when PostgreSQL does not answer. */
export interface ClientReader {
  find(id: string): Promise<Client | undefined>
  /** Oldest first. */
  list(page: PageRequest): Promise<Page<Client>>
  /** Oldest first, page by page, so not of one moment. */
  loadAll(): Promise<Client[]>
}

export function openClientReader(prisma: LoadPrisma, defaults: ClientLimits): ClientReader {
  async function list(page: PageRequest): Promise<Page<Client>> {
    const { client } = await prisma()
    return await readPage(page, {
      order: OLDEST_FIRST,
      where: {},
      find: (query) => client.findMany({ ...query, include: WITH_SECRETS }),
      toItem: (row) => rowToClient(row, defaults),
    })
  }

  return {
    async find(id) {
      const query = { where: { id }, include: WITH_SECRETS }
      const { client } = await prisma()
      const row = await guardDatabase(() => client.findUnique(query))
      return row ? rowToClient(row, defaults) : undefined
    },
    list,

    async loadAll() {
      const clients: Client[] = []
      const pages = eachPage(PAGE_SIZE, undefined, async (last?: Client) => {
        const after = last && { at: last.createdAt, id: last.id }
        return (await list({ limit: PAGE_SIZE, after })).items
      })
      for await (const page of pages) clients.push(...page)
      return clients
    },
  }
}
