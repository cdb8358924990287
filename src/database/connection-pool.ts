// A pool of connections with a queue of our own before it. pg-pool has one time-out for waiting for
// a connection and for making one, and reports both as a failure to connect; we have to tell them
// apart.

import pg from 'pg'
import { type ConnectionOptions, prepareConnection, timedOut } from './connection.ts'
import { busy, openConnectionQueue } from './connection-queue.ts'
import { codeOf, noteFailure, TIMED_OUT } from './database-failure.ts'
import { currentScope, remainingMs } from './database-scope.ts'

/** For making one connection: looking up its name, connecting, logging in and our settings. */
const CONNECT_TIMEOUT_MS = 1_000

export interface PoolOptions extends Omit<ConnectionOptions, 'onAnswer'> {
  readonly databaseUrl: string
  readonly size: number
}

/** Opens the pool lazily: nothing is connected before the first query. */
export function openConnectionPool({ databaseUrl, size, ...options }: PoolOptions): pg.Pool {
  let answeredAtMs = Number.NEGATIVE_INFINITY
  const onAnswer = () => {
    answeredAtMs = performance.now()
  }
  const pool = new pg.Pool({
    connectionString: databaseUrl,
    max: size,
    application_name: 'lineage',
    connectionTimeoutMillis: CONNECT_TIMEOUT_MS,
    keepAlive: true,
    // pg-pool awaits it, though its type does not say so; a rejection of it rejects `connect`.
    onConnect: (client) => prepareConnection(client as pg.Client, { ...options, onAnswer }),
  })
  // An idle connection that dies is replaced by the pool; without a listener it ends the process.
  // The next query finds out whether the server is away.
  pool.on('error', () => {})
  // Prisma gives a connection back even when its rollback timed out. The next user of it would work
  // inside the open transaction and lose everything. An ended connection is not handed out again.
  pool.on('release', (_error, client) => {
    if (client.getTransactionStatus() !== 'I') void client.end().catch(() => {})
  })
  queueBefore(pool, size, () => performance.now() - answeredAtMs < CONNECT_TIMEOUT_MS)
  return pool
}

/** Replaces `query` as well: pg-pool's own would not go through the new `connect`. */
function queueBefore(pool: pg.Pool, size: number, isAlive: () => boolean): void {
  const queue = openConnectionQueue(size)
  const take = pool.connect.bind(pool) as () => Promise<pg.PoolClient>

  async function connect(): Promise<pg.PoolClient> {
    const scope = currentScope()
    if (scope) scope.isAnswering = isAlive
    if (remainingMs() <= 0) throw timedOut()
    await queue.enter()
    try {
      const client = await take()
      const release = client.release.bind(client)
      // A lost connection rejects the query and also emits an error, which would end the process
      // unhandled.
      client.on('error', ignore)
      client.release = (error) => {
        release(error)
        client.off('error', ignore)
        queue.leave()
      }
      return client
    } catch (error) {
      queue.leave()
      // A server that has just answered others is not away: it, or this process, is too busy.
      if (isTimeout(error) && isAlive()) throw busy('connecting took too long')
      noteFailure(error)
      throw error
    }
  }

  async function query(text: string | pg.QueryConfig, values?: unknown[]): Promise<pg.QueryResult> {
    const client = await connect()
    try {
      return await client.query(text, values)
    } finally {
      client.release()
    }
  }

  pool.connect = connect as typeof pool.connect
  pool.query = query as typeof pool.query
}

function isTimeout(error: unknown): boolean {
  return error instanceof Error && (codeOf(error) === TIMED_OUT || /timeout/.test(error.message))
}

function ignore(): void {}
