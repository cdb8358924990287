// Clients as they are read from PostgreSQL: one, a page, or what has changed since. No query grows
// with the number of clients.

import { guardDatabase } from '../database/database.ts'
import {
  eachPage,
  OLDEST_FIRST,
  type Page,
  type PageRequest,
  readPage,
} from '../database/keyset-page.ts'
import type { Prisma, PrismaClient } from '../generated/prisma/client.ts'
import type { Client } from './client.ts'
import type { ClientLimits } from './client-draft.ts'
import { rowToClient, WITH_SECRETS } from './client-row.ts'

/** Rows of one query where all of them are wanted. */
const PAGE_SIZE = 500

/** A text that changes whenever the client or its secrets change. */
export interface ClientMark {
  readonly id: string
  readonly mark: string
}

/** Every method rejects with DependencyUnavailable when PostgreSQL does not answer. */
export interface ClientReader {
  find(id: string): Promise<Client | undefined>
  /** Those of the ids that there are, in no order. */
  findMany(ids: readonly string[]): Promise<Client[]>
  /** Oldest first. */
  list(page: PageRequest): Promise<Page<Client>>
  /** Oldest first, page by page, so not of one moment. */
  loadAll(): Promise<Client[]>
  /** Up to `limit` marks of ids after this one, in the order of ids. */
  loadMarks(limit: number, afterId: string): Promise<readonly ClientMark[]>
}

export function openClientReader(prisma: PrismaClient, defaults: ClientLimits): ClientReader {
  async function find(where: Prisma.ClientWhereInput) {
    const rows = await guardDatabase(() => prisma.client.findMany({ where, include: WITH_SECRETS }))
    return rows.map((row) => rowToClient(row, defaults))
  }

  function list(page: PageRequest): Promise<Page<Client>> {
    return readPage(page, {
      order: OLDEST_FIRST,
      where: {},
      find: (query) => prisma.client.findMany({ ...query, include: WITH_SECRETS }),
      toItem: (row) => rowToClient(row, defaults),
    })
  }

  return {
    find: async (id) => (await find({ id }))[0],
    findMany: (ids) => find({ id: { in: [...ids] } }),
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

    // xmin is the transaction that last wrote the row, so changes by an older release are noticed
    // too.
    loadMarks: (limit, afterId) =>
      guardDatabase(
        () => prisma.$queryRaw<ClientMark[]>`
          SELECT page.id, page.xmin || coalesce((
            SELECT string_agg(' ' || secret.id || ' ' || secret.xmin, '' ORDER BY secret.id)
            FROM client_secrets AS secret WHERE secret.client_id = page.id
          ), '') AS mark
          FROM (
            SELECT id, xmin::text FROM clients WHERE id > ${afterId} ORDER BY id LIMIT ${limit}
          ) AS page ORDER BY page.id`,
      ),
  }
}
