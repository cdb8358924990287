// Changes of a table's definition beside those who use it. Whoever waits for such a lock holds up all
// who come after, so it is waited for a moment only, and the next round of housekeeping tries again.

import type pg from 'pg'
import { guardDatabase } from './database.ts'

const WAIT_MS = 200

/**
 * Runs `statements` of PL/pgSQL, after `declare`, all or none of them; none if a lock is not given in
 * 200 ms, which is no failure. Rejects with DependencyUnavailable.
 */
export async function tryWithBriefLock(
  pool: pg.Pool,
  statements: string,
  declare = '',
): Promise<void> {
  // Caught by the server: an error that comes here would be taken for an outage.
  const block = `DO $lineage$ ${declare} BEGIN
    PERFORM set_config('lock_timeout', '${WAIT_MS}ms', true);
    ${statements}
    EXCEPTION WHEN lock_not_available THEN NULL;
  END $lineage$`
  await guardDatabase(() => pool.query(block))
}
