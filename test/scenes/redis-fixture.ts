// What the tests of the Redis adapter share: a store on a URL, the real journal behind a wire that
// can be cut, and waiting for the first answer after an outage.

import type { Test } from 'tap'
import { parseRedisUrl } from '../../src/config/redis-url.ts'
import { openDatabase } from '../../src/database/database.ts'
import { applyMigrations } from '../../src/database/migrations.ts'
import { type Families, openFamilies } from '../../src/families/families.ts'
import type { CreateFamily, Family } from '../../src/families/family.ts'
import type { FamilyStore } from '../../src/families/family-store.ts'
import type { Journal, JournalPayload } from '../../src/families/journal.ts'
import { openPostgresJournal } from '../../src/families/postgres/postgres-journal.ts'
import {
  openRedisFamilyStore,
  type RedisFamilyStore,
} from '../../src/families/redis/redis-family-store.ts'
import { DependencyUnavailable } from '../../src/runtime/dependency-unavailable.ts'
import type { UserId, UserRecord } from '../../src/users/user.ts'
import { describe, ending, rotation } from '../contract/family-bench.ts'
import { openTcpProxy, type TcpProxy } from '../contract/tcp-proxy.ts'
import { NO_JOURNAL } from '../support/journal.ts'
import { openTestDatabase } from '../support/postgres.ts'

/**
 * Only so that a failure is told. On a busy machine the replicas of a Cluster may need a second and a
 * third election, each of them 8 s after the last.
 */
const GIVE_UP_MS = 120_000

export interface OpenedStore {
  readonly store: RedisFamilyStore
  readonly connectionErrors: readonly string[]
  readonly replayFailures: readonly string[]
  /** How many entries its server lacked, at each replay that may have found some. */
  readonly replayed: readonly number[]
}

/** A store that is still connecting. */
export function openStore(
  t: Test,
  url: string,
  journal: Pick<Journal, 'readSince'> = NO_JOURNAL,
): OpenedStore {
  const connectionErrors: string[] = []
  const replayFailures: string[] = []
  const replayed: number[] = []
  const store = openRedisFamilyStore({
    target: parseRedisUrl(url),
    journal,
    clock: Date.now,
    onConnectionError: (detail) => connectionErrors.push(detail),
    onReplayFailure: (detail) => replayFailures.push(detail),
    onReplayed: (count) => replayed.push(count),
  })
  t.teardown(() => store.close())
  return { store, connectionErrors, replayFailures, replayed }
}

/** A store that has opened its gates. */
export async function openReadyStore(
  t: Test,
  url: string,
  journal?: Pick<Journal, 'readSince'>,
): Promise<RedisFamilyStore> {
  const { store } = openStore(t, url, journal)
  await store.ready(GIVE_UP_MS)
  return store
}

export interface TestJournal {
  readonly journal: Journal
  /** The way to PostgreSQL. */
  readonly wire: TcpProxy
  /** Writes the end of `family` as if `agoMs` before now, without telling any store. */
  appendAt(agoMs: number, family: Family): Promise<void>
  /** The same for any entry. */
  writeAt(agoMs: number, payload: JournalPayload): Promise<void>
}

export async function openTestJournal(t: Test): Promise<TestJournal> {
  const { url } = await openTestDatabase(t)
  const { hostname, port } = new URL(url)
  const wire = await openTcpProxy(t, { host: hostname, port: Number(port) })
  const proxied = new URL(url)
  proxied.host = `127.0.0.1:${wire.port}`
  const database = openDatabase(proxied.href)
  const direct = openDatabase(url)
  t.teardown(async () => {
    await database.close()
    await direct.close()
  })
  await applyMigrations(direct.pool)
  async function writeAt(agoMs: number, payload: JournalPayload): Promise<void> {
    await direct.pool.query('INSERT INTO journal (at, payload) VALUES ($1, $2)', [
      new Date(Date.now() - agoMs),
      JSON.stringify(payload),
    ])
  }
  return {
    journal: openPostgresJournal(database),
    wire,
    appendAt: (agoMs, family) => writeAt(agoMs, { kind: 'family', end: ending(family) }),
    writeAt,
  }
}

/** Asks again and again, without a pause in between, until the store answers at all. */
export async function firstAnswer<T>(ask: () => Promise<T>): Promise<T> {
  const giveUpAt = performance.now() + GIVE_UP_MS
  for (;;) {
    try {
      return await ask()
    } catch (error) {
      if (!(error instanceof DependencyUnavailable) || performance.now() > giveUpAt) throw error
      await new Promise(setImmediate)
    }
  }
}

/** What the very first rotation says that gets an answer. */
export async function firstRotation(store: FamilyStore, family: Family): Promise<string> {
  return describe(await firstAnswer(() => store.rotate(rotation(family))))
}

/** The rejection of a call that must not answer. */
export async function rejectionOf(call: Promise<unknown>): Promise<DependencyUnavailable> {
  const answer = await call.then(
    (value) => new Error(`answered ${JSON.stringify(value)}`),
    (error: unknown) => error,
  )
  if (answer instanceof DependencyUnavailable) return answer
  throw answer
}

/** Families over `store` and the journal, as an instance has them; without `users` none is known. */
export function familiesOn(
  store: FamilyStore,
  journal: Journal,
  users: ReadonlyMap<UserId, UserRecord> = new Map(),
): Families {
  return openFamilies({ store, journal, loadUser: async (id) => users.get(id), clock: Date.now })
}

/** The family that a login made. */
export async function readFamily(store: FamilyStore, login: CreateFamily): Promise<Family> {
  const owner = { userId: login.user.userId }
  const { family } = await store.inspect({ owner, familyId: login.family.familyId })
  if (!family) throw new Error('the store does not know the family')
  return family
}
