// The connections to PostgreSQL, and Prisma on top of them where it is needed. Everything that waits on it waits
// within a deadline.

import { setTimeout as delay } from 'node:timers/promises'
import type pg from 'pg'
import { UNWATCHED, type WatchCall } from '../runtime/call-watch.ts'
import { DEPENDENCY_DEADLINE_MS, withDeadline } from '../runtime/deadline.ts'
import { DependencyUnavailable } from '../runtime/dependency-unavailable.ts'
import type { PoolLoad } from '../runtime/pool-load.ts'
import { StartError } from '../runtime/start-error.ts'
import { openConnectionPool } from './connection-pool.ts'
import { openConnectionQueue, type QueueListeners } from './connection-queue.ts'
import { findOutage, isBusyCode, isConflict, isTimeoutCode } from './database-failure.ts'
import {
  type DatabaseScope,
  inDatabaseScope,
  inOwnScope,
  remainingMs,
  untilDone,
} from './database-scope.ts'
import { schemaOf } from './database-url.ts'
import { type LoadPrisma, openPrisma } from './prisma.ts'
import { openServerSigns } from './server-signs.ts'

/** With WATCH_SIZE ten connections for an instance of one process. */
export const POOL_SIZE = 9
export const WATCH_SIZE = 1
/** What the connections are called in pg_stat_activity, by which `lineage doctor` counts processes. */
export const APPLICATION_NAMES = { pool: 'lineage', watch: 'lineage watch' } as const
/** How often work is run again that the server aborted because of a conflict. */
const CONFLICT_RETRIES = 4
const CONFLICT_PAUSE_MS = 20
/** How long a server that is there takes for a sign of life, at most. */
const SIGN_TIMEOUT_MS = 500
/** How much later than it was due this process never is, unless it is too busy to listen. */
const OVERDUE_MS = 500

export interface Database {
  /** For all that needs SQL of its own, and for what an instance does without being asked. */
  readonly pool: pg.Pool
  /** A connection of its own, for what must be known also while the pool is busy. */
  readonly watch: pg.Pool
  readonly prisma: LoadPrisma
  /** Where the tables are, as `?schema=` says. */
  readonly schema: string
  /** Resolves when the server answers; rejects with DependencyUnavailable. */
  ping(): Promise<void>
  /** How busy `pool` is, and what waiting for it has cost so far. */
  load(): PoolLoad
  /** What an operator should put right, as far as the last ping and the last writes tell. */
  warnings(): readonly string[]
  close(): Promise<void>
}

export interface DatabaseOptions extends QueueListeners {
  /** Connections of `pool`. */
  readonly poolSize?: number
  /** Told of every message to the server. */
  readonly watch?: WatchCall
}

/** Opens the pools lazily: nothing is connected before the first query. */
export function openDatabase(
  databaseUrl: string,
  { poolSize = POOL_SIZE, watch: watchCall = UNWATCHED, ...listeners }: DatabaseOptions = {},
): Database {
  const schema = schemaOf(databaseUrl)
  let isReadOnly = false
  let refusedCode: string | undefined
  const options = {
    databaseUrl,
    schema,
    watch: watchCall,
    onWrite: (outcome: 'written' | 'refused', code?: string) => {
      refusedCode = outcome === 'refused' ? code : undefined
    },
  }
  const signs = openServerSigns(() => inOwnScope(SIGN_TIMEOUT_MS, () => watch.query('SELECT 1')))
  const queue = openConnectionQueue(poolSize, listeners)
  const pool = openConnectionPool({
    ...options,
    signs,
    queue,
    applicationName: APPLICATION_NAMES.pool,
  })
  const watch = openConnectionPool({
    ...options,
    signs,
    queue: openConnectionQueue(WATCH_SIZE),
    applicationName: APPLICATION_NAMES.watch,
  })
  const prisma = openPrisma(pool, schema)
  return {
    pool,
    watch,
    prisma: prisma.load,
    schema,
    async ping() {
      const { rows } = await guardDatabase(() =>
        watch.query<{ readonly: string }>(
          `SELECT current_setting('transaction_read_only') AS readonly`,
        ),
      )
      isReadOnly = rows[0]?.readonly === 'on'
    },
    load: queue.load,
    warnings() {
      if (isReadOnly) return ['PostgreSQL is read-only: nothing can be changed']
      if (refusedCode === undefined) return []
      return [`PostgreSQL refused the last write (SQLSTATE ${refusedCode}): its disk may be full`]
    },
    async close() {
      await prisma.close()
      await Promise.all([pool.end(), watch.end()])
    },
  }
}

/**
 * Runs database work within the deadline and turns every failure of the server or the way to it
 * into DependencyUnavailable. What the data itself refuses (a unique key) passes through. Work that
 * the server aborts because of a conflict with another transaction is run again from its beginning.
 */
export async function guardDatabase<T>(
  work: () => Promise<T>,
  deadlineMs = DEPENDENCY_DEADLINE_MS,
): Promise<T> {
  return await inDatabaseScope(deadlineMs, async (scope) => {
    for (let retriesLeft = CONFLICT_RETRIES; ; retriesLeft -= 1) {
      try {
        return await withDeadline(untilDone(work()), Math.max(0, remainingMs()), () =>
          lateError(scope),
        )
      } catch (error) {
        const isRetried = (scope.hasConflict || isConflict(error)) && scope.failure === undefined
        if (!isRetried || retriesLeft === 0) throw toFailure(error, scope)
        scope.hasConflict = false
        await delay(Math.random() * CONFLICT_PAUSE_MS)
      }
    }
  })
}

/**
 * An outage only if the server was silent. If most of the time was spent in our own queue, or the
 * server answers other queries, then it or this process is too busy. So is a process that comes to
 * this long after it was due: it has heard nothing because it did not listen.
 */
function lateError(scope: DatabaseScope): DependencyUnavailable {
  const nowMs = performance.now()
  const isOverdue = nowMs - scope.deadlineMs > OVERDUE_MS
  const isOwnFault = isOverdue || scope.queuedMs > DEPENDENCY_DEADLINE_MS / 2
  const isBusy = isOwnFault || scope.wasAnswering(Math.min(nowMs, scope.deadlineMs))
  return new DependencyUnavailable('postgresql', 'deadline exceeded', isBusy ? 'queue' : 'outage')
}

function toFailure(error: unknown, scope: DatabaseScope): unknown {
  if (error instanceof DependencyUnavailable || error instanceof StartError) return error
  const code = scope.failure ?? findOutage(error)
  if (code === undefined) return error
  if (isTimeoutCode(code)) return lateError(scope)
  return new DependencyUnavailable('postgresql', code, isBusyCode(code) ? 'queue' : 'outage')
}
