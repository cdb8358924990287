// The one connection pool to PostgreSQL, and Prisma on top of it. Everything that waits on it
// waits within a deadline.

import { PrismaPg } from '@prisma/adapter-pg'
import pg from 'pg'
import { PrismaClient } from '../generated/prisma/client.ts'
import { DEPENDENCY_DEADLINE_MS, withDeadline } from '../runtime/deadline.ts'
import { DependencyUnavailable } from '../runtime/dependency-unavailable.ts'
import { StartError } from '../runtime/start-error.ts'

const POOL_SIZE = 10
const CONNECT_TIMEOUT_MS = 1_000
const WARM_UP_MS = 30_000

export interface Database {
  /** For families and migrations, which need SQL of their own. */
  readonly pool: pg.Pool
  readonly prisma: PrismaClient
  /** Resolves when the server answers; rejects with DependencyUnavailable. */
  ping(): Promise<void>
  /**
   * Makes Prisma ready: it compiles itself at its first query, which takes seconds on a busy machine
   * and must not eat up the deadline of whoever comes first. Needs the tables; rejects with
   * DependencyUnavailable.
   */
  warmUp(): Promise<void>
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
  // Prisma gives a connection back even where the rollback timed out. Whoever got that one next
  // would work inside the open transaction and lose it all; an ended one is not handed out again.
  pool.on('release', (_error, client) => {
    if (client.getTransactionStatus() !== 'I') void client.end().catch(() => {})
  })
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
    async warmUp() {
      await guardDatabase(() => prisma.tableVersion.findFirst(), WARM_UP_MS)
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
export async function guardDatabase<T>(
  work: () => Promise<T>,
  deadlineMs = DEPENDENCY_DEADLINE_MS,
): Promise<T> {
  try {
    return await withDeadline(
      work(),
      deadlineMs,
      () => new DependencyUnavailable('postgresql', 'deadline exceeded'),
    )
  } catch (error) {
    if (isUnavailable(error)) {
      throw new DependencyUnavailable('postgresql', codeOf(error) ?? 'connection failed')
    }
    throw error
  }
}

// SQLSTATE: connection, a server that is read-only (a replica after a failover), an idle transaction
// cut off, refused login, missing database, resources, shutdown or a time-out, the system.
const UNAVAILABLE_SQLSTATE = /^(08...|25006|25P03|28...|3D...|53...|57...|58...)$/
// Prisma: P1xxx is the way to the server, P2024 a pool time-out, P2028 a transaction that timed out.
const UNAVAILABLE_PRISMA = /^(P1\d{3}|P2024|P2028)$/
const UNAVAILABLE_ERRNO = /^(ECONN|EPIPE|ETIMEDOUT|ENOTFOUND|EAI_|EHOST|ENET|ENOENT)/
const UNAVAILABLE_MESSAGE = /timeout|Connection terminated|connection (error|closed)|not queryable/i

function isUnavailable(error: unknown): boolean {
  if (!(error instanceof Error) || error instanceof StartError) return false
  if (error instanceof DependencyUnavailable) return false
  const code = codeOf(error)
  if (code === undefined) return UNAVAILABLE_MESSAGE.test(error.message)
  return (
    UNAVAILABLE_SQLSTATE.test(code) || UNAVAILABLE_PRISMA.test(code) || UNAVAILABLE_ERRNO.test(code)
  )
}

/** PostgreSQL's own code where Prisma has wrapped it, else that of the error itself. */
function codeOf(error: unknown): string | undefined {
  const wrapped = ['meta', 'driverAdapterError', 'cause', 'originalCode'].reduce(memberOf, error)
  const code = wrapped ?? memberOf(error, 'code')
  return typeof code === 'string' ? code : undefined
}

function memberOf(value: unknown, name: string): unknown {
  return typeof value === 'object' && value !== null ? Reflect.get(value, name) : undefined
}
