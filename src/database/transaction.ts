// One transaction on one client of the pool, for the SQL that Prisma does not write.

import type pg from 'pg'
import { DEPENDENCY_DEADLINE_MS } from '../runtime/deadline.ts'
import { DependencyUnavailable } from '../runtime/dependency-unavailable.ts'
import { guardDatabase } from './database.ts'

/**
 * Commits what `work` did, or nothing of it. READ COMMITTED, because rows are locked before they
 * are read. Whatever fails, the deadline included, ends the connection and with it the
 * transaction, so that the pool never gets one back half done. Rejects as `guardDatabase` does.
 */
export async function inTransaction<T>(
  pool: pg.Pool,
  work: (client: pg.PoolClient) => Promise<T>,
  deadlineMs = DEPENDENCY_DEADLINE_MS,
): Promise<T> {
  let held: pg.PoolClient | undefined
  let given = false
  try {
    return await guardDatabase(async () => {
      const client = await pool.connect()
      if (given) {
        client.release()
        throw new DependencyUnavailable('postgresql', 'deadline exceeded')
      }
      held = client
      // A lost connection rejects the query too; unheard, the event would end the process.
      client.on('error', ignore)
      await client.query('BEGIN ISOLATION LEVEL READ COMMITTED')
      const result = await work(client)
      await client.query('COMMIT')
      release(client)
      held = undefined
      return result
    }, deadlineMs)
  } catch (error) {
    if (held) release(held, true)
    throw error
  } finally {
    given = true
  }
}

function release(client: pg.PoolClient, destroy = false): void {
  client.release(destroy)
  client.off('error', ignore)
}

function ignore(): void {}
