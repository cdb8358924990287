// Which of the two stores holds the families: Redis where it is configured, else PostgreSQL.

import type { RedisTarget, ServiceConfig } from './config.ts'
import type { Database } from './database/database.ts'
import type { FamilyStore } from './families/family.ts'
import type { Journal } from './families/journal.ts'
import { openJournalReader } from './families/journal-reader.ts'
import { deleteExpired } from './families/postgres-family-garbage.ts'
import { openPostgresFamilyStore } from './families/postgres-family-store.ts'
import { openRedisFamilyStore } from './families/redis-family-store.ts'
import type { OutageLog } from './ops/outage-log.ts'
import type { Clock } from './runtime/clock.ts'
import type { Dependency } from './runtime/dependency-unavailable.ts'

/** How long a start waits for Redis before it goes on without. */
const SETTLE_MS = 5_000

export interface OpenedFamilyStore {
  readonly store: FamilyStore
  readonly journal: Journal
  /** What an operator should put right about the store. */
  warnings(): readonly string[]
  /** Carries to the store what an instance journalled but died before storing. */
  applyNewEntries(): Promise<void>
  /** Resolves when families can be served, or when waiting any longer would help nobody. */
  settle(): Promise<void>
  /** Deletes what no answer needs any more; Redis does so by itself. */
  deleteExpired(nowMs: number): Promise<void>
}

export interface OpenFamilyStoreOptions {
  readonly config: Pick<ServiceConfig, 'redis'>
  readonly database: Database
  readonly journal: Journal
  readonly outages: OutageLog
  readonly clock: Clock
}

/** Returns at once; Redis is connected to in the background, for as long as it takes. */
export function openFamilyStore(options: OpenFamilyStoreOptions): OpenedFamilyStore {
  const { redis } = options.config
  return redis ? openOnRedis(redis, options) : openOnPostgres(options)
}

function openOnRedis(
  target: RedisTarget,
  { journal, outages, clock }: OpenFamilyStoreOptions,
): OpenedFamilyStore {
  const report = (detail: string, dependency: Dependency = 'redis') =>
    outages.failed(dependency, { detail })
  const store = openRedisFamilyStore({
    target,
    journal,
    clock,
    onConnectionError: report,
    onReplayFailure: report,
  })
  return {
    store,
    journal,
    warnings: store.warnings,
    applyNewEntries: store.applyNewEntries,
    // A service without Redis still serves what needs none of it (DESIGN §12).
    settle: () => store.ready(SETTLE_MS).catch(() => {}),
    deleteExpired: async () => {},
  }
}

function openOnPostgres({ database, journal, clock }: OpenFamilyStoreOptions): OpenedFamilyStore {
  const store = openPostgresFamilyStore(database, clock)
  return {
    store,
    journal,
    warnings: () => [],
    settle: async () => {},
    ...openJournalReader(journal, store, clock),
    deleteExpired: (nowMs) => deleteExpired(database, nowMs),
  }
}
