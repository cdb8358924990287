// The runner of the migrations, and that Prisma's own engine takes over where it has been.

import { copyFile, mkdir, readdir, writeFile } from 'node:fs/promises'
import { pathToFileURL } from 'node:url'
import pg from 'pg'
import { type Test, test } from 'tap'
import { applyMigrations, checkMigrations } from '../../src/database/migrations.ts'
import { DEPENDENCY_DEADLINE_MS } from '../../src/runtime/deadline.ts'
import { StartError } from '../../src/runtime/start-error.ts'
import { openEmptyDatabase } from '../support/postgres.ts'
import { openSchemaEngine } from '../support/schema-engine.ts'

const SHIPPED = new URL('../../prisma/migrations/', import.meta.url)
const LOCK = 'pg_advisory_xact_lock(72707369)'

/** With the time-outs of the service, which must not cut a migration off. */
function openPool(t: Test, url: string, options: pg.PoolConfig = {}): pg.Pool {
  const timeouts = {
    query_timeout: DEPENDENCY_DEADLINE_MS,
    statement_timeout: DEPENDENCY_DEADLINE_MS,
  }
  const pool = new pg.Pool({ connectionString: url, ...timeouts, ...options })
  // The database is dropped while connections that were just ended are still on their way out.
  pool.on('error', () => {})
  t.teardown(() => pool.end())
  return pool
}

async function open(t: Test): Promise<{ url: string; pool: pg.Pool }> {
  const { url } = await openEmptyDatabase(t)
  return { url, pool: openPool(t, url) }
}

/** A directory of migrations of the test's own, by name. */
async function writeMigrations(t: Test, migrations: Record<string, string>): Promise<URL> {
  const directory = pathToFileURL(`${t.testdir({})}/`)
  for (const [name, sql] of Object.entries(migrations)) {
    await mkdir(new URL(name, directory), { recursive: true })
    await writeFile(new URL(`${name}/migration.sql`, directory), sql)
  }
  await copyFile(new URL('migration_lock.toml', SHIPPED), new URL('migration_lock.toml', directory))
  return directory
}

/** Closed at once, because the engine keeps its lock as long as its connection. */
async function deploy(url: string, directory: URL, name: string): Promise<string[]> {
  const engine = await openSchemaEngine(url)
  try {
    return await engine.deploy(directory, name)
  } finally {
    await engine.close()
  }
}

async function tablesOf(pool: pg.Pool): Promise<string[]> {
  const { rows } = await pool.query<{ tablename: string }>(
    `SELECT tablename FROM pg_tables WHERE schemaname = 'public' ORDER BY tablename`,
  )
  return rows.map((row) => row.tablename)
}

async function recordsOf(pool: pg.Pool): Promise<Record<string, unknown>[]> {
  const { rows } = await pool.query(
    `SELECT migration_name, checksum, logs, rolled_back_at, applied_steps_count,
       finished_at >= started_at AS finished, length(id) AS id_length
     FROM _prisma_migrations ORDER BY started_at`,
  )
  return rows
}

test('a fresh database gets every migration, a second start finds nothing to do', async (t) => {
  const { pool } = await open(t)
  const shipped = (await readdir(SHIPPED)).filter((name) => /^\d{14}_\w+$/.test(name)).sort()
  await t.rejects(checkMigrations(pool), { name: 'StartError', message: shipped[0] })
  t.strictSame(await tablesOf(pool), [], 'a check changes nothing')
  t.strictSame(await applyMigrations(pool), shipped)
  t.strictSame(await applyMigrations(pool), [])
  await checkMigrations(pool)
  t.equal((await recordsOf(pool)).length, shipped.length)
})

test('what it records is what `prisma migrate deploy` records', async (t) => {
  const [ours, theirs] = [await open(t), await open(t)]
  const name = '20260101000000_first'
  const directory = await writeMigrations(t, { [name]: 'CREATE TABLE a (id int)' })
  await applyMigrations(ours.pool, { directory })
  t.strictSame(await deploy(theirs.url, directory, name), [name])
  t.strictSame(await recordsOf(ours.pool), await recordsOf(theirs.pool))
  const columns = `SELECT column_name, data_type, character_maximum_length, is_nullable,
    column_default FROM information_schema.columns
    WHERE table_name = '_prisma_migrations' ORDER BY ordinal_position`
  t.strictSame((await ours.pool.query(columns)).rows, (await theirs.pool.query(columns)).rows)
  t.strictSame(await deploy(ours.url, directory, name), [], 'Prisma finds nothing to do after us')
  t.strictSame(await applyMigrations(theirs.pool, { directory }), [], 'nor we after Prisma')
  await checkMigrations(theirs.pool, { directory })
})

test('four instances that start at once apply every migration once', async (t) => {
  const { url, pool } = await open(t)
  const directory = await writeMigrations(t, {
    '1_a': 'CREATE TABLE a (id int); INSERT INTO a VALUES (1); SELECT pg_sleep(0.2);',
    '2_b': 'INSERT INTO a VALUES (2)',
  })
  const pools = [pool, openPool(t, url), openPool(t, url), openPool(t, url)]
  const applied = await Promise.all(pools.map((each) => applyMigrations(each, { directory })))
  t.strictSame(applied.flat().sort(), ['1_a', '2_b'])
  t.equal(applied.filter((names) => names.length > 0).length, 1, 'one instance did all of it')
  t.strictSame((await pool.query('SELECT id FROM a ORDER BY id')).rows, [{ id: 1 }, { id: 2 }])
})

test('waits for the lock and works on for longer than a request may', async (t) => {
  const { url, pool } = await open(t)
  const seconds = (DEPENDENCY_DEADLINE_MS + 300) / 1_000
  const directory = await writeMigrations(t, { '1_slow': `SELECT pg_sleep(${seconds})` })
  const holder = new pg.Client(url)
  await holder.connect()
  t.teardown(() => holder.end())
  await holder.query(`BEGIN; SELECT ${LOCK}`)
  const waiting = applyMigrations(pool, { directory })
  await holder.query(`SELECT pg_sleep(${seconds})`)
  t.strictSame(await tablesOf(pool), [], 'nothing happens without the lock')
  await holder.query('COMMIT')
  t.strictSame(await waiting, ['1_slow'])
})

test('a failed statement leaves nothing of any migration behind', async (t) => {
  const { pool } = await open(t)
  const directory = await writeMigrations(t, {
    '1_good': 'CREATE TABLE a (id int)',
    '2_bad': 'CREATE TABLE b (id int); INSERT INTO nowhere VALUES (1)',
    '3_never': 'CREATE TABLE c (id int)',
  })
  await t.rejects(applyMigrations(pool, { directory }), {
    name: 'StartError',
    message: 'migration 2_bad failed: relation "nowhere" does not exist',
  })
  t.strictSame(await tablesOf(pool), [])
  await writeFile(new URL('2_bad/migration.sql', directory), 'CREATE TABLE b (id int)')
  t.strictSame(await applyMigrations(pool, { directory }), ['1_good', '2_bad', '3_never'])
  t.strictSame(await tablesOf(pool), ['_prisma_migrations', 'a', 'b', 'c'])
})

const modes: Record<string, (...args: Parameters<typeof applyMigrations>) => Promise<unknown>> = {
  auto: applyMigrations,
  check: checkMigrations,
}
for (const [mode, run] of Object.entries(modes)) {
  test(`${mode}: a file edited after it was applied stops the start`, async (t) => {
    const { pool } = await open(t)
    const directory = await writeMigrations(t, { '1_a': 'CREATE TABLE a (id int)' })
    await applyMigrations(pool, { directory })
    await writeFile(new URL('1_a/migration.sql', directory), 'CREATE TABLE a (id bigint)')
    const error = await run(pool, { directory }).catch((thrown: unknown) => thrown)
    t.ok(error instanceof StartError)
    t.match(error, { message: 'migration 1_a was edited after this database had applied it' })
  })

  test(`${mode}: a migration that Prisma has left failed stops the start`, async (t) => {
    const { pool } = await open(t)
    const directory = await writeMigrations(t, { '1_a': 'CREATE TABLE a (id int)' })
    await applyMigrations(pool, { directory })
    await pool.query(`UPDATE _prisma_migrations SET finished_at = NULL`)
    await t.rejects(() => run(pool, { directory }), {
      name: 'StartError',
      message: '1_a has failed',
    })
    // `prisma migrate resolve --rolled-back` says this; then it is pending.
    await pool.query('UPDATE _prisma_migrations SET rolled_back_at = now(); DROP TABLE a')
    await t.rejects(checkMigrations(pool, { directory }), { message: 'lacks migrations: 1_a' })
    t.strictSame(await applyMigrations(pool, { directory }), ['1_a'])
  })
}

test('a migration of a newer release is fine', async (t) => {
  const { pool } = await open(t)
  const known = { '1_a': 'CREATE TABLE a (id int)' }
  const newer = await writeMigrations(t, { ...known, '2_b': 'CREATE TABLE b (id int)' })
  await applyMigrations(pool, { directory: newer })
  const directory = await writeMigrations(t, known)
  t.strictSame(await applyMigrations(pool, { directory }), [])
  await checkMigrations(pool, { directory })
})

test('a role without rights on the database needs none when nothing is pending', async (t) => {
  const { url, pool } = await open(t)
  await applyMigrations(pool)
  const role = `reader_${process.pid}_${Date.now()}`
  await pool.query(`CREATE ROLE ${role} LOGIN; GRANT SELECT ON _prisma_migrations TO ${role}`)
  t.teardown(() => pool.query(`DROP OWNED BY ${role}; DROP ROLE ${role}`))
  const limited = openPool(t, url, { options: `-c role=${role}` })
  t.strictSame(await applyMigrations(limited), [])
  await checkMigrations(limited)
})
