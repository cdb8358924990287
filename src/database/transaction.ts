// One transaction on one client of the pool, for the SQL that Prisma does not write.

import type pg from 'pg'
import { DEPENDENCY_DEADLINE_MS } from '../runtime/deadline.ts'
import { guardDatabase } from './database.ts'

/**
 * Commits what `work` did, or nothing of it. READ COMMITTED, because rows are locked before they
 * are read. Whatever fails, the deadline included, ends the connection and with it the
 * transaction, so that the pool never gets one back half done. May run `work` more than once, and
 * rejects as `guardDatabase` does.
 */
export async function inTransaction<T>(
  pool: pg.Pool,
  work: (client: pg.PoolClient) => Promise<T>,
  deadlineMs = DEPENDENCY_DEADLINE_MS,
): Promise<T> {
  let held: pg.PoolClient | undefined

  /** Does nothing the second time: after a deadline it is called here and by `attempt`. */
  function giveBack(client: pg.PoolClient, destroy: boolean): void {
    if (held !== client) return
    held = undefined
    client.release(destroy)
  }

  async function attempt(): Promise<T> {
    const client = await pool.connect()
    held = client
    try {
      await client.query('BEGIN')
      const result = await work(client)
      await client.query('COMMIT')
      giveBack(client, false)
      return result
    } catch (error) {
      giveBack(client, true)
      throw error
    }
  }

  try {
    return await guardDatabase(attempt, deadlineMs)
  } finally {
    if (held) giveBack(held, true)
  }
}
