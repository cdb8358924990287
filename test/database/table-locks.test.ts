// Migrations beside those who use the tables: whatever the two have locked, the migration gives way, and is
// made when they are done.

import { mkdir, writeFile } from 'node:fs/promises'
import { pathToFileURL } from 'node:url'
import pg from 'pg'
import { type Test, test } from 'tap'
import { openDatabase } from '../../src/database/database.ts'
import { applyMigrations } from '../../src/database/migrations.ts'
import { StartError } from '../../src/runtime/start-error.ts'
import { openEmptyDatabase } from '../support/postgres.ts'
import { until } from '../support/until.ts'

const NAME = '20260101000000_two_tables'
const SQL = 'ALTER TABLE a ADD COLUMN more int; ALTER TABLE b ADD COLUMN more int;'

interface Scene {
  readonly pool: pg.Pool
  readonly directory: URL
  readonly user: pg.Client
  readonly other: pg.Client
}

/**
 * Two tables with a row each, a migration of both, and two sessions that use them. Of a deadlock
 * the sessions would be those whom PostgreSQL ends, and after so long that it is no mere slowness.
 */
async function open(t: Test, sql = SQL): Promise<Scene> {
  const { url } = await openEmptyDatabase(t)
  const patient = new URL(url)
  patient.searchParams.set('options', '-c deadlock_timeout=1h')
  const database = openDatabase(patient.href)
  t.teardown(() => database.close())
  const connect = async () => {
    const client = new pg.Client({ connectionString: url, application_name: 'a-request' })
    client.on('error', () => {})
    await client.connect()
    t.teardown(() => client.end())
    await client.query('SET deadlock_timeout = 20000')
    return client
  }
  const [user, other] = [await connect(), await connect()]
  await user.query('CREATE TABLE a (id int); CREATE TABLE b (id int)')
  await user.query('INSERT INTO a VALUES (1); INSERT INTO b VALUES (1)')
  const directory = pathToFileURL(`${t.testdir({})}/`)
  await mkdir(new URL(NAME, directory))
  await writeFile(new URL(`${NAME}/migration.sql`, directory), sql)
  return { pool: database.pool, directory, user, other }
}

/** Resolves when some session waits for such a lock of the table. */
async function waiting(client: pg.Client, table: string, mode: string): Promise<void> {
  await until(`somebody waits for ${mode} of ${table}`, async () => {
    const { rowCount } = await client.query(
      `SELECT FROM pg_locks WHERE NOT granted AND relation = to_regclass($1) AND mode = $2`,
      [table, mode],
    )
    return rowCount !== 0
  })
}

async function columnsOf(client: pg.Client): Promise<string[]> {
  const { rows } = await client.query<{ name: string }>(
    `SELECT table_name || '.' || column_name AS name FROM information_schema.columns
     WHERE table_schema = 'public' AND table_name IN ('a', 'b') ORDER BY name`,
  )
  return rows.map(({ name }) => name)
}

const BEFORE = ['a.id', 'b.id']
const AFTER = ['a.id', 'a.more', 'b.id', 'b.more']

// As read from its text, and as it comes to it where nothing can be read.
const hidden = `DO $$ BEGIN ${SQL} END $$`
for (const [how, sql] of Object.entries({ read: SQL, hidden })) {
  test(`whoever holds one table and asks for the other goes on (locks ${how})`, async (t) => {
    const { pool, directory, user, other } = await open(t, sql)
    await user.query('BEGIN; UPDATE b SET id = 2')
    const applied = applyMigrations(pool, { directory })
    await waiting(other, 'b', 'AccessExclusiveLock')
    await user.query('UPDATE a SET id = 2')
    t.strictSame(await columnsOf(other), BEFORE)
    await user.query('COMMIT')
    t.strictSame(await applied, [NAME])
    t.strictSame(await columnsOf(other), AFTER)
    const { rows } = await other.query('SELECT a.id AS one, b.id AS other FROM a, b')
    t.strictSame(rows, [{ one: 2, other: 2 }], 'what the request has written stays')
  })
}

test('nobody waits behind a migration that is kept from its locks', async (t) => {
  const { pool, directory, user, other } = await open(t)
  await user.query('BEGIN; SELECT FROM b')
  const applied = applyMigrations(pool, { directory })
  for (let times = 0; times < 3; times += 1) {
    await waiting(other, 'b', 'AccessExclusiveLock')
    await other.query('UPDATE b SET id = id + 1; UPDATE a SET id = id + 1')
  }
  t.strictSame(await columnsOf(other), BEFORE)
  await user.query('COMMIT')
  t.strictSame(await applied, [NAME])
})

test('it waits for a vacuum or an index that is being built as long as that takes, and requests go on', async (t) => {
  const { pool, directory, user, other } = await open(t)
  // What a vacuum and CREATE INDEX CONCURRENTLY hold.
  await user.query('BEGIN; LOCK TABLE b IN SHARE UPDATE EXCLUSIVE MODE')
  const applied = applyMigrations(pool, { directory })
  await waiting(other, 'b', 'ShareUpdateExclusiveLock')
  await other.query('UPDATE b SET id = 2; UPDATE a SET id = 2')
  await waiting(other, 'b', 'ShareUpdateExclusiveLock')
  await user.query('COMMIT')
  t.strictSame(await applied, [NAME])
})

test('locks that never come free end it with who holds them, and nothing was changed', async (t) => {
  const { pool, directory, user, other } = await open(t)
  await user.query('BEGIN; UPDATE b SET id = 2')
  const { rows } = await user.query<{ pid: number }>('SELECT pg_backend_pid() AS pid')
  const error = await applyMigrations(pool, { directory, locksWithinMs: 300 }).catch(
    (thrown: unknown) => thrown,
  )
  t.ok(error instanceof StartError)
  t.match(error, {
    message:
      `migration ${NAME} waits for a lock on the table b, which pid ${rows[0]?.pid} (a-request) ` +
      'holds, idle in transaction: not given up in 0.3 s, nothing was changed',
  })
  t.strictSame(await columnsOf(other), BEFORE)
  const there = await other.query(`SELECT to_regclass('_prisma_migrations') AS there`)
  t.strictSame(there.rows, [{ there: null }])
  await user.query('COMMIT')
  t.strictSame(await applyMigrations(pool, { directory }), [NAME])
})

test('who keeps it from its locks is told once while it tries', async (t) => {
  const { pool, directory, user } = await open(t)
  await user.query('BEGIN; UPDATE b SET id = 2')
  const told: string[] = []
  const onWait = (sentence: string) => void told.push(sentence)
  const applied = applyMigrations(pool, { directory, onWait })
  const said = await until('a word of it', () => told[0])
  t.match(said, /^waits for a lock on the table b, which pid \d+ \(a-request\) holds, idle in/)
  await user.query('COMMIT')
  t.strictSame(await applied, [NAME])
  t.strictSame(told, [said])
})
