// The tables themselves: every migration finished, and the schema that of a database which was migrated in
// one go.

import { createHash } from 'node:crypto'
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { ROOT } from '../support/repository-text.ts'
import type { Damage } from './invariants.ts'
import type { Query } from './read-users.ts'

const MIGRATIONS = join(ROOT, 'prisma/migrations')

interface MigrationRow {
  readonly name: string
  readonly checksum: string
  readonly isFinished: boolean
}

/** What is recorded of migrations, against the files. */
export async function checkMigrations(query: Query): Promise<Damage[]> {
  const rows = await query<MigrationRow>(`
    SELECT migration_name AS name, checksum,
      finished_at IS NOT NULL AND rolled_back_at IS NULL AND applied_steps_count = 1 AS "isFinished"
    FROM _prisma_migrations ORDER BY started_at, migration_name`)
  const recorded = rows.map(({ name, checksum }) => `${name} ${checksum}`)
  const expected = readdirSync(MIGRATIONS, { withFileTypes: true })
    .filter((entry) => entry.isDirectory())
    .map(({ name }) => `${name} ${checksumOf(name)}`)
    .sort()
  const details = [
    ...rows.filter(({ isFinished }) => !isFinished).map(({ name }) => `${name} is not finished`),
    ...expected.filter((one) => !recorded.includes(one)).map((one) => `${one} is not recorded`),
    ...recorded.filter((one, at) => recorded.indexOf(one) !== at).map((one) => `${one} twice`),
  ]
  return details.map((detail) => ({ invariant: 'migrations_finished', detail }))
}

function checksumOf(name: string): string {
  const sql = readFileSync(join(MIGRATIONS, name, 'migration.sql'))
  return createHash('sha256').update(sql).digest('hex')
}

const OBJECTS = `
  SELECT 'column ' || table_name || '.' || column_name || ' ' || data_type || ' ' || is_nullable
    || ' ' || COALESCE(column_default, '') AS object
    FROM information_schema.columns WHERE table_schema = current_schema()
  UNION ALL SELECT 'index ' || indexdef FROM pg_indexes WHERE schemaname = current_schema()
  UNION ALL SELECT 'constraint ' || conrelid::regclass::text || ' ' || conname || ' '
    || pg_get_constraintdef(oid) FROM pg_constraint WHERE connamespace = current_schema()::regnamespace
  UNION ALL SELECT 'function ' || proname || ' ' || md5(prosrc) FROM pg_proc
    WHERE pronamespace = current_schema()::regnamespace
  UNION ALL SELECT 'trigger ' || tgrelid::regclass::text || ' ' || tgname || ' ' || tgenabled::text FROM pg_trigger
    WHERE NOT tgisinternal`

/** Partitions come and go with the days. */
const IS_PARTITION = /\baudit_events_/

/** Columns, indexes, constraints, functions and triggers, each as a line. */
export async function readSchema(query: Query): Promise<readonly string[]> {
  const rows = await query<{ object: string | null }>(OBJECTS)
  return rows
    .map(({ object }) => object ?? 'an object without a name')
    .filter((object) => !IS_PARTITION.test(object))
    .sort()
}

/** Compares with what `readSchema` gave of a whole one. */
export async function checkSchema(query: Query, whole: readonly string[]): Promise<Damage[]> {
  const found = await readSchema(query)
  const details = [
    ...whole.filter((object) => !found.includes(object)).map((object) => `lacks ${object}`),
    ...found.filter((object) => !whole.includes(object)).map((object) => `has ${object}`),
  ]
  return details.map((detail) => ({ invariant: 'schema_whole', detail }))
}
