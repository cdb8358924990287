// The lock under which one process at a time migrates or applies files, and how others wait for it.

import type pg from 'pg'
import { DependencyUnavailable } from '../runtime/dependency-unavailable.ts'
import { StartError } from '../runtime/start-error.ts'
import { type LockWatch, watchLocks } from './lock-watch.ts'
import { openPlainQuery, type PlainQuery } from './plain-query.ts'
import { inTransaction } from './transaction.ts'

/** Prisma's own migration lock, so that its CLI waits for us and we for it. */
const LOCK_ID = 72707369
const TIMEOUT_MS = 60_000
/** By how much a timer may fire early. */
const TIMER_TOLERANCE_MS = 100
export interface LockOptions {
  /** How long it may take, waiting for locks included; a minute unless given. */
  readonly timeoutMs?: number
  /** Told in a sentence when a lock keeps it waiting: which, and who holds it. */
  readonly onWait?: (sentence: string) => void
}

/** Held until the transaction ends. */
export async function takeMigrationLock(query: PlainQuery): Promise<void> {
  await query(`SELECT pg_advisory_xact_lock(${LOCK_ID})`)
}

/**
 * Runs `work` while nothing else migrates or holds this lock; what it does is no part of the transaction
 * that holds it, which ends with this process at the latest. Rejects as `applyMigrations` does.
 */
export async function withMigrationLock<T>(
  pool: pg.Pool,
  options: LockOptions,
  work: () => Promise<T>,
): Promise<T> {
  const { timeoutMs = TIMEOUT_MS } = options
  return await inWatchedTransaction(pool, options, async (query) => {
    await query(`SET LOCAL idle_in_transaction_session_timeout = ${timeoutMs}`)
    await takeMigrationLock(query)
    return await work()
  })
}

/**
 * A transaction that may take long, because others may hold locks that it needs. If it waited for a
 * lock until its time was over, it throws a StartError that says so instead of
 * DependencyUnavailable.
 */
export async function inWatchedTransaction<T>(
  pool: pg.Pool,
  { timeoutMs = TIMEOUT_MS, onWait = () => {} }: LockOptions,
  work: (query: PlainQuery) => Promise<T>,
): Promise<T> {
  const giveUpAtMs = performance.now() + timeoutMs
  let watch: LockWatch | undefined
  try {
    return await inTransaction(
      pool,
      async (client) => {
        const query = openPlainQuery(client, timeoutMs)
        // By a query, because a pooler tells the driver another process id.
        const [session] = await query<{ pid: number }>('SELECT pg_backend_pid() AS pid')
        watch?.stop()
        if (session) watch = watchLocks(pool, session.pid, onWait)
        await query(
          `SET LOCAL statement_timeout = ${timeoutMs}; SET LOCAL lock_timeout = ${timeoutMs}`,
        )
        return await work(query)
      },
      timeoutMs,
    )
  } catch (error) {
    const wait = watch?.waitsFor()
    const isLate = performance.now() >= giveUpAtMs - TIMER_TOLERANCE_MS
    if (!(error instanceof DependencyUnavailable) || wait === undefined || !isLate) throw error
    const seconds = Math.round(timeoutMs / 1_000)
    throw new StartError(`this process ${wait}: not given up in ${seconds} s`, { cause: error })
  } finally {
    watch?.stop()
  }
}
