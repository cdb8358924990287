// The service's own way to PostgreSQL, for tests that stand below the service.

import type { Test } from 'tap'
import { type Database, openDatabase } from '../../src/database/database.ts'
import { applyMigrations } from '../../src/database/migrations.ts'

/** With every table, and Prisma loaded. Closed at the end. */
export async function openReadyDatabase(t: Test, url: string): Promise<Database> {
  const database = openDatabase(url)
  t.teardown(() => database.close())
  await applyMigrations(database.pool)
  await database.prisma()
  return database
}
