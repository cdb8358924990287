// The one connection pool to PostgreSQL, and Prisma on top of it. Everything that waits on it
// waits within a deadline.

import { PrismaPg } from '@prisma/adapter-pg'
import pg from 'pg'
import { PrismaClient } from '../generated/prisma/client.ts'
import { DEPENDENCY_DEADLINE_MS, withDeadline } from '../runtime/deadline.ts'
import { DependencyUnavailable } from '../runtime/dependency-unavailable.ts'

const POOL_SIZE = 10
const CONNECT_TIMEOUT_MS = 1_000

export interface Database {
  /** For families and migrations, which need SQL of their own. */
  readonly pool: pg.Pool
  readonly prisma: PrismaClient
  /** Resolves when the server answers; rejects with DependencyUnavailable. */
  ping(): Promise<void>
  close(): Promise<void>
}

/** Opens the pool lazily: nothing is connected before the first query. */
export function openDatabase(
  databaseUrl: string,
  onIdleError: (error: Error) => void = () => {},
): Database {
  const pool = new pg.Pool({
    connectionString: databaseUrl,
    max: POOL_SIZE,
    application_name: 'lineage',
    connectionTimeoutMillis: CONNECT_TIMEOUT_MS,
    query_timeout: DEPENDENCY_DEADLINE_MS,
    statement_timeout: DEPENDENCY_DEADLINE_MS,
    idle_in_transaction_session_timeout: 10_000,
    keepAlive: true,
  })
  // An idle connection that dies is replaced by the pool; without a listener it ends the process.
  pool.on('error', onIdleError)
  const prisma = new PrismaClient({
    adapter: new PrismaPg(pool),
    transactionOptions: { maxWait: CONNECT_TIMEOUT_MS, timeout: DEPENDENCY_DEADLINE_MS },
  })
  return {
    pool,
    prisma,
    async ping() {
      await guardDatabase(() => pool.query('SELECT 1'))
    },
    async close() {
      await prisma.$disconnect()
      await pool.end()
    },
  }
}

/**
 * Runs database work within the deadline and turns every failure of the server or the way to it
 * into DependencyUnavailable. What the data itself refuses (a unique key) passes through.
 */
export async function guardDatabase<T>(work: () => Promise<T>): Promise<T> {
  try {
    return await withDeadline(
      work(),
      DEPENDENCY_DEADLINE_MS,
      () => new DependencyUnavailable('postgresql', 'deadline exceeded'),
    )
  } catch (error) {
    if (isUnavailable(error)) {
      throw new DependencyUnavailable('postgresql', codeOf(error) ?? 'connection failed')
    }
    throw error
  }
}

// SQLSTATE classes 08 (connection), 53 (resources), 57 (shutdown, cancelled by timeout), 58 (system).
const UNAVAILABLE_SQLSTATE = /^(08|53|57|58)/
// Prisma: P1xxx is the way to the server, P2024 a pool time-out, P2028 a transaction that timed out.
const UNAVAILABLE_PRISMA = /^(P1\d{3}|P2024|P2028)$/
const UNAVAILABLE_ERRNO = /^(ECONN|EPIPE|ETIMEDOUT|ENOTFOUND|EAI_|EHOST|ENET|ENOENT)/
const UNAVAILABLE_MESSAGE = /timeout|Connection terminated|connection (error|closed)|not queryable/i

function isUnavailable(error: unknown): boolean {
  if (!(error instanceof Error) || error instanceof DependencyUnavailable) return false
  const code = codeOf(error)
  if (code === undefined) return UNAVAILABLE_MESSAGE.test(error.message)
  return (
    UNAVAILABLE_SQLSTATE.test(code) || UNAVAILABLE_PRISMA.test(code) || UNAVAILABLE_ERRNO.test(code)
  )
}

function codeOf(error: unknown): string | undefined {
  if (typeof error !== 'object' || error === null || !('code' in error)) return undefined
  return typeof error.code === 'string' ? error.code : undefined
}
