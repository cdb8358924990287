// A pool of connections with a queue of our own before it. pg-pool has one time-out for waiting for
// a connection and for making one, and reports both as a failure to connect; we have to tell them
// apart.

import pg from 'pg'
import { ClosingClient } from './closing-client.ts'
import { type ConnectionOptions, prepareConnection, timedOut } from './connection.ts'
import { busy, type ConnectionQueue } from './connection-queue.ts'
import { codeOf, noteFailure, TIMED_OUT, TOO_MANY_CONNECTIONS } from './database-failure.ts'
import { currentScope, remainingMs } from './database-scope.ts'
import type { ServerSigns } from './server-signs.ts'

/** For making one connection: looking up its name, connecting, logging in and our settings. */
const CONNECT_TIMEOUT_MS = 1_000

export interface PoolOptions extends Omit<ConnectionOptions, 'onAnswer'> {
  readonly databaseUrl: string
  readonly applicationName: string
  readonly queue: ConnectionQueue
  readonly signs: ServerSigns
}

/** Opens the pool lazily: nothing is connected before the first query. */
export function openConnectionPool(given: PoolOptions): pg.Pool {
  const { databaseUrl, applicationName, queue, signs, ...options } = given
  const pool = new pg.Pool({
    Client: ClosingClient,
    connectionString: databaseUrl,
    max: queue.load().size,
    application_name: applicationName,
    connectionTimeoutMillis: CONNECT_TIMEOUT_MS,
    keepAlive: true,
    // pg-pool awaits it, though its type does not say so; a rejection of it rejects `connect`.
    onConnect: (client) =>
      prepareConnection(client as pg.Client, { ...options, onAnswer: signs.heard }),
  })
  // An idle connection that dies is replaced by the pool; without a listener it ends the process.
  // The next query finds out whether the server is away.
  pool.on('error', () => {})
  // Prisma gives a connection back even when its rollback timed out. The next user of it would work
  // inside the open transaction and lose everything. An ended connection is not handed out again.
  pool.on('release', (_error, client) => {
    if (client.getTransactionStatus() !== 'I') void client.end().catch(() => {})
  })
  queueBefore(pool, queue, signs)
  return pool
}

/** Replaces `query` as well: pg-pool's own would not go through the new `connect`. */
function queueBefore(pool: pg.Pool, queue: ConnectionQueue, signs: ServerSigns): void {
  const take = pool.connect.bind(pool) as () => Promise<pg.PoolClient>

  async function connect(): Promise<pg.PoolClient> {
    if (remainingMs() <= 0) throw timedOut()
    await queue.enter()
    const scope = currentScope()
    if (scope) {
      scope.wasAnswering = signs.wasHeardLately
      scope.askServer = signs.ask
    }
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
      // A server that has just answered others is not away: it, or this process, is too busy, or all
      // of its connections are taken.
      const detail = describeBusy(error)
      if (detail !== undefined && signs.wasHeardLately()) throw busy(detail)
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

function describeBusy(error: unknown): string | undefined {
  const code = codeOf(error)
  if (code === TOO_MANY_CONNECTIONS) return 'the server has no connection left'
  const isTimeout = code === TIMED_OUT || (error instanceof Error && /timeout/.test(error.message))
  return isTimeout ? 'connecting took too long' : undefined
}

function ignore(): void {}
