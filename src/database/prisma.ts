// Prisma on the pool, loaded when it is first needed: an instance that serves tokens does without it
// and the memory that it takes (docs/adr/0018-prisma-where-people-are.md).

import type pg from 'pg'
import type { Prisma, PrismaClient } from '../generated/prisma/client.ts'
import { DEPENDENCY_DEADLINE_MS } from '../runtime/deadline.ts'
import { inDatabaseScope } from './database-scope.ts'
import type { PlainQuery } from './plain-query.ts'

/**
 * Resolves to the client, which is made at the first call. Asks nothing of PostgreSQL, and may take
 * seconds on a busy machine: to be awaited before a deadline begins.
 */
export type LoadPrisma = () => Promise<PrismaClient>

export interface LazyPrisma {
  readonly load: LoadPrisma
  close(): Promise<void>
}

export function openPrisma(pool: pg.Pool, schema: string): LazyPrisma {
  let client: Promise<PrismaClient> | undefined
  return {
    load() {
      // What failed once, for want of memory perhaps, may go well the next time.
      client ??= makeClient(pool, schema).catch((error: unknown) => {
        client = undefined
        throw error
      })
      return client
    },
    async close() {
      await (await client?.catch(() => undefined))?.$disconnect()
    },
  }
}

async function makeClient(pool: pg.Pool, schema: string): Promise<PrismaClient> {
  const [{ PrismaPg }, { PrismaClient }] = await importUnmapped()
  const client = new PrismaClient({
    adapter: new PrismaPg(pool, { schema }),
    transactionOptions: { maxWait: DEPENDENCY_DEADLINE_MS, timeout: DEPENDENCY_DEADLINE_MS },
  })
  // Loads the query compiler; connects to nothing.
  await client.$connect()
  // The first queries compile for long, on a busy machine longer than a deadline allows. These are over
  // theirs from the beginning, so that they are compiled and nothing is sent.
  const nobody = { id: '' }
  const firstOnes: readonly (() => Promise<unknown>)[] = [
    async () => await client.user.findFirst({ where: nobody }),
    async () => await client.user.updateMany({ where: nobody, data: nobody }),
    async () => await client.client.findFirst({ where: nobody, include: { secrets: true } }),
    async () => await client.client.updateMany({ where: nobody, data: nobody }),
  ]
  for (const query of firstOnes) await inDatabaseScope(0, query).catch(() => {})
  return client
}

/** Without source maps: those of Prisma's packages would be held in memory, and show nothing of ours. */
async function importUnmapped() {
  const areMapped = process.sourceMapsEnabled
  process.setSourceMapsEnabled(false)
  try {
    return await Promise.all([
      import('@prisma/adapter-pg'),
      import('../generated/prisma/client.ts'),
    ])
  } finally {
    process.setSourceMapsEnabled(areMapped)
  }
}

/** SQL of ours within a transaction of Prisma's. */
export function queryIn(tx: Prisma.TransactionClient): PlainQuery {
  return (text, values = []) => tx.$queryRawUnsafe(text, ...values)
}
