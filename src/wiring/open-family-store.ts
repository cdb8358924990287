// Which of the two stores holds the families: Redis where it is configured, else PostgreSQL.

import type { ServiceConfig } from '../config/service-config.ts'
import type { Database } from '../database/database.ts'
import type { FamilyStore } from '../families/family-store.ts'
import type { Journal } from '../families/journal.ts'
import { openJournalReader } from '../families/journal-reader.ts'
import { deleteExpired } from '../families/postgres/postgres-family-garbage.ts'
import { openPostgresFamilyStore } from '../families/postgres/postgres-family-store.ts'
import { openRedisFamilyStore } from '../families/redis/redis-family-store.ts'
import type { OutageLog } from '../ops/outage-log.ts'
import type { RedisTarget } from '../redis/redis-target.ts'
import { deleteUsedUp, openPostgresSingleUse } from '../replay/postgres-single-use.ts'
import { deleteEndedUses, openPostgresTokenUses } from '../replay/postgres-token-uses.ts'
import { openRedisSingleUse } from '../replay/redis-single-use.ts'
import { openRedisTokenUses } from '../replay/redis-token-uses.ts'
import type { SingleUse } from '../replay/single-use.ts'
import type { TokenUses } from '../replay/token-uses.ts'
import type { WatchCall } from '../runtime/call-watch.ts'
import type { Clock } from '../runtime/clock.ts'
import type { Dependency } from '../runtime/dependency-unavailable.ts'
import { StartError } from '../runtime/start-error.ts'
import type { Counters } from '../throttle/counters.ts'
import { deleteEndedCounters, openPostgresCounters } from '../throttle/postgres-counters.ts'
import { openRedisCounters } from '../throttle/redis-counters.ts'

/** How long a start waits for Redis before it goes on without. */
const SETTLE_MS = 5_000

/** The error codes of Redis and TLS after which waiting is useless, and what they mean. */
const REFUSALS: readonly (readonly [code: RegExp, meaning: string])[] = [
  [/^WRONGPASS$/, 'the user or the password of REDIS_URL is wrong'],
  [/^NOAUTH$/, 'it wants a password, and REDIS_URL has none'],
  [/^NOPERM$/, 'the user of REDIS_URL may not use a command that is needed'],
  [/CERT|SSL|TLS|SIGNATURE/, 'the way there by TLS is not to be trusted'],
]

export interface OpenedFamilyStore {
  readonly store: FamilyStore
  readonly journal: Journal
  /** Where failed guesses are counted. */
  readonly counters: Counters
  /** Where it is remembered what may be used once. */
  readonly singleUse: SingleUse
  /** Where uses of foreign tokens are counted that may be used again. */
  readonly tokenUses: TokenUses
  /** What an operator should put right about the store. */
  warnings(): readonly string[]
  /** Applies journal entries of instances that died before they applied them. */
  applyNewEntries(): Promise<void>
  /** Resolves when families can be served, or when there is no use in waiting longer. */
  settle(): Promise<void>
  /** Why the server refuses us, if it does. */
  refusal(): StartError | undefined
  /** Deletes what no answer needs any more; Redis does so by itself. */
  deleteExpired(nowMs: number): Promise<void>
}

export interface OpenFamilyStoreOptions {
  readonly config: Pick<ServiceConfig, 'redis'>
  readonly database: Database
  readonly journal: Journal
  readonly outages: OutageLog
  readonly clock: Clock
  /** Told how many entries of the journal a server was told again before it was used. */
  readonly onReplayed?: (count: number) => void
  /** Told of every call of a script. */
  readonly watch?: WatchCall
}

/** Returns at once; Redis is connected to in the background, for as long as it takes. */
export function openFamilyStore(options: OpenFamilyStoreOptions): OpenedFamilyStore {
  const { redis } = options.config
  return redis ? openOnRedis(redis, options) : openOnPostgres(options)
}

function openOnRedis(
  target: RedisTarget,
  { journal, outages, clock, onReplayed, watch }: OpenFamilyStoreOptions,
): OpenedFamilyStore {
  let isClosed = false
  let refusal: StartError | undefined
  const refused = new AbortController()
  function report(detail: string, dependency: Dependency = 'redis'): void {
    // A connection that breaks because we close it is no outage.
    if (isClosed) return
    if (dependency === 'redis') refusal = toRefusal(detail)
    if (refusal) refused.abort()
    outages.failed(dependency, { detail })
  }
  const store = openRedisFamilyStore({
    target,
    journal,
    clock,
    onConnectionError: report,
    onReplayFailure: report,
    onReplayed,
    watch,
  })
  return {
    store: {
      ...store,
      close() {
        isClosed = true
        return store.close()
      },
    },
    journal,
    counters: openRedisCounters(store.runFree),
    singleUse: openRedisSingleUse(store.runFree, clock),
    tokenUses: openRedisTokenUses(store.runFree, clock),
    warnings: store.warnings,
    applyNewEntries: store.applyNewEntries,
    // Without Redis the service starts all the same: much of it needs no Redis (docs/semantics.md
    // §12).
    async settle() {
      const ready = store.ready(SETTLE_MS).then(() => {
        refusal = undefined
      })
      await Promise.race([ready.catch(() => {}), aborted(refused.signal)])
    },
    refusal: () => refusal,
    deleteExpired: async () => {},
  }
}

/** The refusal by its code alone: the rest of Redis's message may hold a user name. */
function toRefusal(detail: string): StartError | undefined {
  const meaning = REFUSALS.find(([pattern]) => pattern.test(detail))?.[1]
  if (meaning === undefined) return undefined
  return new StartError(`Redis refuses: ${meaning} (${detail}); \`lineage doctor\` says what to do`)
}

function aborted(signal: AbortSignal): Promise<void> {
  if (signal.aborted) return Promise.resolve()
  return new Promise((resolve) => signal.addEventListener('abort', () => resolve(), { once: true }))
}

function openOnPostgres({ database, journal, clock }: OpenFamilyStoreOptions): OpenedFamilyStore {
  const store = openPostgresFamilyStore(database, clock)
  return {
    store,
    journal,
    counters: openPostgresCounters(database),
    singleUse: openPostgresSingleUse(database, clock),
    tokenUses: openPostgresTokenUses(database, clock),
    warnings: () => [],
    settle: async () => {},
    refusal: () => undefined,
    applyNewEntries: openJournalReader(journal, store, clock),
    async deleteExpired(nowMs) {
      await deleteExpired(database, nowMs)
      await deleteEndedCounters(database, nowMs)
      await deleteUsedUp(database, nowMs)
      await deleteEndedUses(database, nowMs)
    },
  }
}
