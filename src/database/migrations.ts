// The runner of prisma/migrations: applies what is pending, or says that something is, and records
// it as `prisma migrate deploy` does, so that either may be used next. The SQL itself is Prisma's.

import { createHash, randomUUID } from 'node:crypto'
import { readdir, readFile } from 'node:fs/promises'
import pg from 'pg'
import { StartError } from '../runtime/start-error.ts'
import { guardDatabase } from './database.ts'
import { findOutage } from './database-failure.ts'
import { inWatchedTransaction, type LockOptions, takeMigrationLock } from './migration-lock.ts'
import { areNameKeysPending, NAME_KEYS_LOCKS, NAME_KEYS_STEP, renewNameKeys } from './name-keys.ts'
import { openPlainQuery, type PlainQuery } from './plain-query.ts'
import { type TryOptions, tryUntilLocked } from './repeated-tries.ts'
import { givingWay, planTableLocks, takeTableLocks } from './table-locks.ts'

// The same place from src/database and from dist/database.
const DIRECTORY = new URL('../../prisma/migrations/', import.meta.url)

export interface MigrationOptions extends LockOptions, TryOptions {
  /** Ends with a slash; the package's own prisma/migrations/ unless given. */
  readonly directory?: URL
  /**
   * Computes the keys of names anew even where nothing says that an older release has written any.
   */
  readonly everyName?: boolean
}

interface Migration {
  readonly name: string
  readonly sql: string
  readonly checksum: string
}

interface Applied {
  readonly migration_name: string
  readonly checksum: string
  readonly finished: boolean
}

/**
 * Applies every pending migration in one transaction and returns their names. Instances that start
 * together wait for each other, a minute at most. It gives way to everybody who uses a table that it
 * needs, and tries again. Throws StartError when a migration fails (nothing of any is left then), has
 * failed before, was edited after it had been applied, when two users' names have become one, or when
 * somebody else's lock was not given up in time.
 */
export async function applyMigrations(
  pool: pg.Pool,
  options: MigrationOptions = {},
): Promise<readonly string[]> {
  const migrations = await loadMigrations(options.directory ?? DIRECTORY)
  return await tryUntilLocked(pool, options, () =>
    inWatchedTransaction(pool, options, async (query) => {
      const pending = await namingStep('the table of migrations', async () => {
        await takeMigrationLock(query)
        return findPending(migrations, await readApplied(query))
      })
      await namingStep('the locks of tables', () => lockTables(pending, options, query))
      return await applyPending(pending, options, query)
    }),
  )
}

async function lockTables(
  pending: readonly Migration[],
  { everyName }: MigrationOptions,
  query: PlainQuery,
): Promise<void> {
  const isMarked = pending.some(({ sql }) => sql.includes(NAME_KEYS_STEP))
  const looksAtNames = everyName || isMarked || (await areNameKeysPending(query))
  const steps = looksAtNames ? [...pending, NAME_KEYS_LOCKS] : pending
  if (steps.length > 0) await takeTableLocks(query, await planTableLocks(query, steps))
}

async function applyPending(
  pending: readonly Migration[],
  { everyName }: MigrationOptions,
  query: PlainQuery,
): Promise<readonly string[]> {
  const run = <T>(name: string, work: () => Promise<T>) =>
    namingStep(name, () => givingWay(name, undefined, work))
  if (pending.length > 0) await run('the table of migrations', () => createTable(query))
  for (const migration of pending) {
    await run(migration.name, () => applyMigration(migration, query))
  }
  const applied = pending.map((migration) => migration.name)
  return await run(NAME_KEYS_STEP, async () => {
    const isPending = await areNameKeysPending(query)
    const isRenewed = (isPending || everyName) && (await renewNameKeys(query))
    return isPending || isRenewed ? [...applied, NAME_KEYS_STEP] : applied
  })
}

/** Says which one failed, but for outages, which the caller may wait for. */
async function namingStep<T>(name: string, work: () => Promise<T>): Promise<T> {
  try {
    return await work()
  } catch (error) {
    if (!(error instanceof pg.DatabaseError) || findOutage(error) !== undefined) throw error
    throw new StartError(`migration ${name} failed: ${error.message}`, { cause: error })
  }
}

/**
 * Throws StartError that names what is pending, failed or edited. Migrations that only the database
 * has are accepted.
 */
export async function checkMigrations(
  pool: pg.Pool,
  options: MigrationOptions = {},
): Promise<void> {
  const pending = await listPendingMigrations(pool, options)
  if (pending.length === 0) return
  throw new StartError(
    `the database lacks migrations: ${pending.join(', ')} ` +
      '(`lineage migrate` applies them, or a start with LINEAGE_MIGRATE=auto)',
  )
}

/** The names of the migrations to apply. Throws StartError for a failed, edited or locked one. */
export async function listPendingMigrations(
  pool: pg.Pool,
  options: MigrationOptions = {},
): Promise<readonly string[]> {
  const migrations = await loadMigrations(options.directory ?? DIRECTORY)
  return await inWatchedTransaction(pool, options, async (query) => {
    const pending = findPending(migrations, await readApplied(query)).map(({ name }) => name)
    return (await areNameKeysPending(query)) ? [...pending, NAME_KEYS_STEP] : pending
  })
}

async function loadMigrations(directory: URL): Promise<readonly Migration[]> {
  const entries = await readdir(directory, { withFileTypes: true })
  const names = entries.filter((entry) => entry.isDirectory()).map((entry) => entry.name)
  return await Promise.all(
    names.sort().map(async (name) => {
      const sql = await readFile(new URL(`${name}/migration.sql`, directory), 'utf8')
      return { name, sql, checksum: createHash('sha256').update(sql).digest('hex') }
    }),
  )
}

async function readApplied(query: PlainQuery): Promise<readonly Applied[]> {
  const [table] = await query<{ there: boolean }>(
    `SELECT to_regclass('_prisma_migrations') IS NOT NULL AS there`,
  )
  if (!table?.there) return []
  return await query<{ migration_name: string; checksum: string; finished: boolean }>(
    `SELECT migration_name, checksum, finished_at IS NOT NULL AS finished
     FROM _prisma_migrations WHERE rolled_back_at IS NULL ORDER BY started_at`,
  )
}

function findPending(
  migrations: readonly Migration[],
  applied: readonly Applied[],
): readonly Migration[] {
  const failed = applied.find((row) => !row.finished)
  if (failed) {
    throw new StartError(
      `migration ${failed.migration_name} has failed in this database: mend it, then run prisma migrate resolve`,
    )
  }
  const checksums = new Map(applied.map((row) => [row.migration_name, row.checksum]))
  return migrations.filter(({ name, checksum }) => {
    const recorded = checksums.get(name)
    if (recorded !== undefined && recorded !== checksum) {
      throw new StartError(`migration ${name} was edited after this database had applied it`)
    }
    return recorded === undefined
  })
}

/** In the schema of `?schema=`, the only one that the connection looks into; made when missing. */
async function createTable(query: PlainQuery): Promise<void> {
  // Checked first: a role without rights on the database may not run CREATE SCHEMA IF NOT EXISTS
  // either.
  const [row] = await query<{ path: string; exists: boolean }>(
    `SELECT current_setting('search_path') AS path, current_schema() IS NOT NULL AS exists`,
  )
  // The path is quoted already (session-settings.ts).
  if (row?.exists === false) await query(`CREATE SCHEMA ${row.path}`)
  await query(CREATE_TABLE)
}

async function applyMigration(
  { name, sql, checksum }: Migration,
  query: PlainQuery,
): Promise<void> {
  const id = randomUUID()
  await query(
    `INSERT INTO _prisma_migrations (id, checksum, migration_name, started_at)
     VALUES ($1, $2, $3, clock_timestamp())`,
    [id, checksum, name],
  )
  await query(sql)
  await query(
    `UPDATE _prisma_migrations SET finished_at = clock_timestamp(), applied_steps_count = 1
     WHERE id = $1`,
    [id],
  )
}

// As Prisma's schema engine creates it.
const CREATE_TABLE = `CREATE TABLE IF NOT EXISTS _prisma_migrations (
  id                      VARCHAR(36) PRIMARY KEY NOT NULL,
  checksum                VARCHAR(64) NOT NULL,
  finished_at             TIMESTAMPTZ,
  migration_name          VARCHAR(255) NOT NULL,
  logs                    TEXT,
  rolled_back_at          TIMESTAMPTZ,
  started_at              TIMESTAMPTZ NOT NULL DEFAULT now(),
  applied_steps_count     INTEGER NOT NULL DEFAULT 0
)`

/** The migrations that only the database has: those of a newer release. */
export async function listNewerMigrations(pool: pg.Pool): Promise<readonly string[]> {
  const migrations = await loadMigrations(DIRECTORY)
  const known = new Set(migrations.map(({ name }) => name))
  const applied = await guardDatabase(() => readApplied(openPlainQuery(pool)))
  return applied.map((row) => row.migration_name).filter((name) => !known.has(name))
}
