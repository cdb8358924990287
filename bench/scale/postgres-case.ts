// One PostgreSQL of a question of scale: a migrated database, and rows multiplied inside of it.

import { type Database, openDatabase } from '../../src/database/database.ts'
import { applyMigrations } from '../../src/database/migrations.ts'
import type { FamilyStore } from '../../src/families/family-store.ts'
import { openPostgresFamilyStore } from '../../src/families/postgres/postgres-family-store.ts'
import { T0 } from '../../test/contract/family-bench.ts'
import { runAsAdmin } from '../../test/support/postgres.ts'
import type { Scope } from '../../test/support/scope.ts'

export interface PostgresCase {
  readonly url: string
  readonly database: Database
  readonly store: FamilyStore
  /** One statement over a connection without the deadlines of the service. */
  run(sql: string): Promise<unknown[]>
}

let databases = 0

/** A database of its own on the server at `serverUrl`. */
export async function openPostgresCase(scope: Scope, serverUrl: string): Promise<PostgresCase> {
  databases += 1
  const name = `scale_${databases}`
  await runAsAdmin(serverUrl, `CREATE DATABASE ${name}`)
  const url = new URL(serverUrl)
  url.pathname = `/${name}`
  const database = openDatabase(url.href)
  scope.teardown(() => database.close())
  await applyMigrations(database.pool)
  const store = openPostgresFamilyStore(database, () => T0)
  scope.teardown(() => store.close())
  return { url: url.href, database, store, run: (sql) => runAsAdmin(url.href, sql) }
}

/**
 * `count` copies of the one row that `where` finds in `table`, with the members of the JSON object
 * that the SQL expression `changes` makes put over it; `n` counts the copies.
 */
export async function multiplyRow(
  { run }: Pick<PostgresCase, 'run'>,
  table: string,
  { where, changes, count }: { where: string; changes: string; count: number },
): Promise<void> {
  await run(
    `INSERT INTO ${table}
     SELECT (jsonb_populate_record(original, ${changes})).*
     FROM ${table} original, generate_series(1, ${count}) n WHERE ${where}`,
  )
}

/** With its indexes, and with its partitions where it has some. */
export async function tableBytes(
  { run }: Pick<PostgresCase, 'run'>,
  table: string,
): Promise<number> {
  const [row] = (await run(
    `SELECT sum(pg_total_relation_size(part))::float8 AS bytes FROM (
       SELECT '${table}'::regclass AS part
       UNION ALL SELECT inhrelid FROM pg_inherits WHERE inhparent = '${table}'::regclass) parts`,
  )) as { bytes: number }[]
  return row?.bytes ?? Number.NaN
}
