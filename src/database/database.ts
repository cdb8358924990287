// The connections to PostgreSQL, and Prisma on top of them where it is needed. Everything that waits on it waits
// within a deadline.

import { setTimeout as delay } from 'node:timers/promises'
import type pg from 'pg'
import { DEPENDENCY_DEADLINE_MS, withDeadline } from '../runtime/deadline.ts'
import { DependencyUnavailable } from '../runtime/dependency-unavailable.ts'
import { StartError } from '../runtime/start-error.ts'
import { openConnectionPool } from './connection-pool.ts'
import { findOutage, isConflict, TIMED_OUT } from './database-failure.ts'
import { type DatabaseScope, inDatabaseScope, remainingMs, untilDone } from './database-scope.ts'
import { schemaOf } from './database-url.ts'
import { type LoadPrisma, openPrisma } from './prisma.ts'

/** With WATCH_SIZE ten connections for an instance of one process. */
export const POOL_SIZE = 9
const WATCH_SIZE = 1
/** How often work is run again that the server aborted because of a conflict. */
const CONFLICT_RETRIES = 4
const CONFLICT_PAUSE_MS = 20

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
  /** What an operator should put right, as far as the last ping and the last writes tell. */
  warnings(): readonly string[]
  close(): Promise<void>
}

/** Opens the pools lazily: nothing is connected before the first query. */
export function openDatabase(databaseUrl: string, poolSize = POOL_SIZE): Database {
  const schema = schemaOf(databaseUrl)
  let isReadOnly = false
  let refusedCode: string | undefined
  const options = {
    databaseUrl,
    schema,
    onWrite: (outcome: 'written' | 'refused', code?: string) => {
      refusedCode = outcome === 'refused' ? code : undefined
    },
  }
  const pool = openConnectionPool({ ...options, size: poolSize })
  const watch = openConnectionPool({ ...options, size: WATCH_SIZE })
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
 * server answers other queries, then it or this process is too busy.
 */
function lateError(scope: DatabaseScope): DependencyUnavailable {
  const isBusy = scope.queuedMs > DEPENDENCY_DEADLINE_MS / 2 || scope.isAnswering()
  return new DependencyUnavailable('postgresql', 'deadline exceeded', isBusy ? 'queue' : 'outage')
}

function toFailure(error: unknown, scope: DatabaseScope): unknown {
  if (error instanceof DependencyUnavailable || error instanceof StartError) return error
  const code = scope.failure ?? findOutage(error)
  if (code === TIMED_OUT) return lateError(scope)
  return code === undefined ? error : new DependencyUnavailable('postgresql', code)
}
