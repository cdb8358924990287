// The database made ready for everything that is opened on it: reached, migrated and checked.

import { checkTables, contactDatabase } from '../database/first-contact.ts'
import { applyMigrations, checkMigrations } from '../database/migrations.ts'
import { logEvent } from '../ops/log-events.ts'
import type { Foundation } from './foundation.ts'

/**
 * May be repeated. Rejects with DependencyUnavailable, or StartError for what waiting does not
 * mend.
 */
export async function prepareDatabase(foundation: Foundation): Promise<void> {
  const { database, databaseClock } = foundation
  await contactDatabase(database.pool)
  await migrate(foundation)
  await checkTables(database.pool)
  await databaseClock.read()
}

async function migrate({ config, database, logger }: Foundation): Promise<void> {
  if (config.migrate === 'off') return
  const onWait = (sentence: string) =>
    logEvent(logger, 'dependency.warning', {
      dependency: 'postgresql',
      detail: `the start ${sentence}`,
    })
  if (config.migrate === 'check') return await checkMigrations(database.pool, { onWait })
  const applied = await applyMigrations(database.pool, { onWait })
  if (applied.length > 0) logEvent(logger, 'database.migrated', { applied })
}
