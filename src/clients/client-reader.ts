// Clients as they are read from PostgreSQL: one, a page, or what has changed since. No query grows
// with the number of clients.

import { guardDatabase } from '../database/database.ts'
import type { Prisma, PrismaClient } from '../generated/prisma/client.ts'
import type { Client } from './client.ts'
import type { ClientLimits } from './client-draft.ts'
import { rowToClient, WITH_SECRETS } from './client-row.ts'

/** Rows of one query where all of them are wanted. */
const PAGE_SIZE = 500

/** Says of one client whether it is another than before, its secrets included. */
export interface ClientMark {
  readonly id: string
  readonly mark: string
}

export interface ClientCursor {
  readonly at: Date
  readonly id: string
}

/** Every method rejects with DependencyUnavailable when PostgreSQL does not answer. */
export interface ClientReader {
  find(id: string): Promise<Client | undefined>
  /** Those of the ids that there are, in no order. */
  findMany(ids: readonly string[]): Promise<Client[]>
  /** Up to `limit` clients after the named one, oldest first. */
  list(limit: number, after?: ClientCursor): Promise<Client[]>
  /** Oldest first, page by page, so not of one moment. */
  loadAll(): Promise<Client[]>
  /** Up to `limit` marks of ids after this one, in the order of ids. */
  loadMarks(limit: number, afterId: string): Promise<readonly ClientMark[]>
}

export function openClientReader(prisma: PrismaClient, defaults: ClientLimits): ClientReader {
  async function find(query: Omit<Prisma.ClientFindManyArgs, 'include' | 'select' | 'omit'>) {
    const rows = await guardDatabase(() =>
      prisma.client.findMany({ ...query, include: WITH_SECRETS }),
    )
    return rows.map((row) => rowToClient(row, defaults))
  }

  function list(limit: number, after?: ClientCursor): Promise<Client[]> {
    return find({ where: after ? isAfter(after) : {}, orderBy: OLDEST_FIRST, take: limit })
  }

  return {
    find: async (id) => (await find({ where: { id } }))[0],
    findMany: (ids) => find({ where: { id: { in: [...ids] } } }),
    list,

    async loadAll() {
      const clients: Client[] = []
      for (;;) {
        const last = clients.at(-1)
        const page = await list(PAGE_SIZE, last && { at: last.createdAt, id: last.id })
        clients.push(...page)
        if (page.length < PAGE_SIZE) return clients
      }
    },

    // The transaction that wrote a row last: seen whoever wrote it, an older release included.
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

const OLDEST_FIRST: Prisma.ClientOrderByWithRelationInput[] = [{ createdAt: 'asc' }, { id: 'asc' }]

function isAfter({ at, id }: ClientCursor): Prisma.ClientWhereInput {
  return { OR: [{ createdAt: { gt: at } }, { createdAt: at, id: { gt: id } }] }
}
