// Which of the two stores holds the families: Redis where it is configured, else PostgreSQL.

import type { Logger } from 'pino'
import type { ServiceConfig } from './config.ts'
import type { Database } from './database/database.ts'
import type { FamilyStore } from './families/family.ts'
import type { Journal } from './families/journal.ts'
import { openJournalReader } from './families/journal-reader.ts'
import { deleteExpired } from './families/postgres-family-garbage.ts'
import { openPostgresFamilyStore } from './families/postgres-family-store.ts'
import { type Clock, systemClock } from './runtime/clock.ts'

export interface OpenedFamilyStore {
  readonly store: FamilyStore
  readonly journal: Journal
  /** What an operator should put right about the store. */
  warnings(): readonly string[]
  /** Carries to the store what an instance journalled but died before storing. */
  applyNewEntries(): Promise<void>
  deleteExpired(nowMs: number): Promise<void>
}

export interface OpenFamilyStoreOptions {
  readonly config: Pick<ServiceConfig, 'redis'>
  readonly database: Database
  readonly journal: Journal
  readonly logger: Logger
  readonly clock?: Clock
}

export function openFamilyStore(options: OpenFamilyStoreOptions): OpenedFamilyStore {
  const { database, journal, clock = systemClock } = options
  const store = openPostgresFamilyStore(database, clock)
  return {
    store,
    journal,
    warnings: () => [],
    ...openJournalReader(journal, store, clock),
    deleteExpired: (nowMs) => deleteExpired(database, nowMs),
  }
}
