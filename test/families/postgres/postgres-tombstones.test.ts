// A user with 100,000 ended families in PostgreSQL: what a login, a refresh and a list read of the
// table does not depend on them, also before PostgreSQL has gathered statistics.

import pg from 'pg'
import { type Test, test } from 'tap'
import { openDatabase } from '../../../src/database/database.ts'
import { applyMigrations } from '../../../src/database/migrations.ts'
import { LIVE_FAMILIES_MAX } from '../../../src/families/family.ts'
import { openPostgresFamilyStore } from '../../../src/families/postgres/postgres-family-store.ts'
import {
  ending,
  keeping,
  listAll,
  logIn,
  newUser,
  nextEpoch,
  rotateOn,
  T0,
} from '../../contract/family-bench.ts'
import { openReadyDatabase } from '../../support/database.ts'
import { openTestDatabase } from '../../support/postgres.ts'
import { until } from '../../support/until.ts'

const TOMBSTONES = 100_000
const DAY_MS = 86_400_000

// Ended ones, and such as a version has left that did not mark those that it found dead.
const SEED = `
  INSERT INTO families (id, user_id, client_id, scope, audience, secret_hash, generation, epoch,
    created_at_ms, rotated_at_ms, idle_expires_at_ms, absolute_expires_at_ms, ip, user_agent,
    ended_at_ms, ended_reason, found_dead)
  SELECT gen_random_uuid(), $1, 'web', '{}', '{}', 'x', 0, 0, $2::bigint + i, $2::bigint + i,
    $3::bigint, $4::bigint, '', '',
    CASE WHEN i % 2 = 0 THEN $3::bigint END, CASE WHEN i % 2 = 0 THEN 'reuse_detected' END, i % 2 = 1
  FROM generate_series(1, ${TOMBSTONES}) i`

/** Rows and index entries of `families` that `work` has read, on connections of its own. */
async function countReads(
  url: string,
  work: (store: ReturnType<typeof openPostgresFamilyStore>) => Promise<unknown>,
): Promise<number> {
  const watcher = openDatabase(url)
  const total = async () => {
    const { rows } = await watcher.pool.query<{ reads: number }>(
      `SELECT (seq_tup_read + coalesce(idx_tup_fetch, 0)
               + (SELECT sum(idx_tup_read) FROM pg_stat_user_indexes WHERE relname = 'families')
              )::int AS reads
       FROM pg_stat_user_tables WHERE relname = 'families'`,
    )
    return rows[0]?.reads ?? 0
  }
  const connections = async () => {
    const { rows } = await watcher.pool.query<{ count: number }>(
      `SELECT count(*)::int FROM pg_stat_activity
       WHERE datname = current_database() AND backend_type = 'client backend'`,
    )
    return rows[0]?.count ?? 0
  }
  // A backend tells what it has read when it ends, at the latest.
  await until('earlier connections have ended', async () => (await connections()) === 1)
  const before = await total()
  const database = openDatabase(url)
  await work(openPostgresFamilyStore(database, () => T0))
  await database.close()
  await until('its connections have ended', async () => (await connections()) === 1)
  const after = await total()
  await watcher.close()
  return after - before
}

/** What a test prepares may take as long as it does, on a connection without our deadlines. */
async function runLong(url: string, statement: string, values: unknown[] = []): Promise<void> {
  const client = new pg.Client({ connectionString: url })
  await client.connect()
  await client.query(statement, values)
  await client.end()
}

test('100,000 tombstones of one user are not read', { timeout: 120_000 }, async (t: Test) => {
  const { url } = await openTestDatabase(t)
  let user = newUser()
  const database = openDatabase(url)
  await applyMigrations(database.pool)
  const expiresAtMs = T0 + 100 * DAY_MS
  const long = { idleExpiresAtMs: expiresAtMs, absoluteExpiresAtMs: expiresAtMs }
  let family = await logIn(
    openPostgresFamilyStore(database, () => T0),
    user,
    long,
  )
  await database.close()
  await runLong(url, 'ALTER TABLE families SET (autovacuum_enabled = off)')
  await runLong(url, SEED, [user.userId, T0 - DAY_MS, T0 - 1, expiresAtMs])

  for (const statistics of ['without', 'with']) {
    if (statistics === 'with') {
      await runLong(url, 'ANALYZE families')
    }
    const reads = {
      login: await countReads(url, (store) => logIn(store, user, long, T0 + 1)),
      refresh: await countReads(url, async (store) => {
        family = await rotateOn(store, family)
      }),
      end: await countReads(url, async (store) =>
        store.end(ending(await logIn(store, user, long, T0 + 2))),
      ),
      'all but this': await countReads(url, async (store) => {
        user = keeping(nextEpoch(user), family)
        await store.putUser(user)
      }),
      list: await countReads(url, (store) => listAll(store, user.userId)),
    }
    for (const [what, count] of Object.entries(reads)) {
      t.ok(count < 2_500, `${what}, ${statistics} statistics: ${count} reads`)
    }
  }
})

test('what an earlier version left is taken out, some at each login', async (t) => {
  const { url } = await openTestDatabase(t)
  const database = await openReadyDatabase(t, url)
  const store = openPostgresFamilyStore(database, () => T0)
  const user = newUser()
  await logIn(store, user)
  await database.pool.query(
    `INSERT INTO families (id, user_id, client_id, scope, audience, secret_hash, generation, epoch,
       created_at_ms, rotated_at_ms, idle_expires_at_ms, absolute_expires_at_ms, ip, user_agent)
     SELECT gen_random_uuid(), user_id, client_id, scope, audience, secret_hash, 0, 0,
       created_at_ms - i, rotated_at_ms - i, created_at_ms - 1, absolute_expires_at_ms, ip, user_agent
     FROM families, generate_series(1, 2500) i`,
  )
  const sizes: number[] = []
  for (let logins = 0; logins < 3; logins += 1) {
    await logIn(store, user, {}, T0 + logins)
    sizes.push((await store.index(user.userId)).live.length)
  }
  t.strictSame(sizes, [1_502, 503, 4])
  t.equal((await store.index(user.userId)).ended.length, 200)
  for (let logins = 0; logins < LIVE_FAMILIES_MAX; logins += 1) {
    await logIn(store, user, {}, T0 + 10 + logins)
  }
  t.equal((await store.index(user.userId)).live.length, LIVE_FAMILIES_MAX)
})
