// The locks of a migration, taken before its first statement. Whoever waits for a lock holds up all who
// come after, and whoever waits while he holds others makes deadlocks: so each is waited for a moment only,
// far shorter than PostgreSQL looks for deadlocks (`deadlock_timeout`, a second), and then all are given
// back. Those who serve requests never lose by it (docs/adr/0003-generated-code-and-offline-prisma.md).

import { StartError } from '../runtime/start-error.ts'
import { codeOf, isConflict } from './database-failure.ts'
import type { PlainQuery } from './plain-query.ts'
import { joinModes, type LockMode, readLocks } from './statement-locks.ts'

/** For one lock. */
const WAIT_MS = 100
/** For all of them together, while the first are held already. */
const WAIT_FOR_ALL_MS = 400
/** Zero would be no bound at all. */
const WAIT_LEAST_MS = 10
const LOCK_NOT_AVAILABLE = '55P03'

export interface TableLock {
  /** As SQL names it. */
  readonly table: string
  readonly mode: LockMode
  /** The first of the migrations that need it. */
  readonly migration: string
}

/** Somebody is in the way; nothing was changed, and it may be tried again. */
export class LockNotGiven extends StartError {
  override name = 'LockNotGiven'
  readonly migration: string
  /** Undefined where a statement needed another one than was read from its text. */
  readonly lock: TableLock | undefined

  constructor(migration: string, lock: TableLock | undefined, options: ErrorOptions) {
    super(`migration ${migration} was not given a lock`, options)
    this.migration = migration
    this.lock = lock
  }
}

/** What is there already of what the migrations lock, each table once. */
export async function planTableLocks(
  query: PlainQuery,
  migrations: readonly { readonly name: string; readonly sql: string }[],
): Promise<readonly TableLock[]> {
  const named = migrations.flatMap(({ name, sql }) =>
    readLocks(sql).map((lock) => ({ ...lock, migration: name })),
  )
  const found = await findTables(query, [...new Set(named.map(({ name }) => name))])
  const planned = new Map<string, TableLock>()
  for (const { name, mode, withReferences, migration } of named) {
    const { tables = [], references = [] } = found.get(name) ?? {}
    for (const table of withReferences ? [...tables, ...references] : tables) {
      const known = planned.get(table)
      const joined = known && { ...known, mode: joinModes(known.mode, mode) }
      planned.set(table, joined ?? { table, mode, migration })
    }
  }
  return [...planned.values()].sort((one, other) => (one.table < other.table ? -1 : 1))
}

interface FoundTables {
  readonly name: string
  /** That has the name, or whose index has it, or to which a foreign key of that name refers. */
  readonly tables: readonly string[]
  /** At the other ends of its foreign keys. */
  readonly references: readonly string[]
}

async function findTables(
  query: PlainQuery,
  names: readonly string[],
): Promise<ReadonlyMap<string, FoundTables>> {
  const rows = await query<FoundTables>(
    `WITH keys AS (
       SELECT conname, conrelid, confrelid FROM pg_constraint
       WHERE contype = 'f' AND connamespace = current_schema()::regnamespace
     )
     SELECT name, ARRAY(
         SELECT oid::regclass::text FROM pg_class WHERE relkind IN ('r', 'p') AND (oid = named
           OR oid IN (SELECT indrelid FROM pg_index WHERE indexrelid = named)
           OR oid IN (SELECT confrelid FROM keys WHERE conname = name))
       ) AS tables, ARRAY(
         SELECT (CASE conrelid WHEN named THEN confrelid ELSE conrelid END)::regclass::text
         FROM keys WHERE named IN (conrelid, confrelid)
       ) AS references
     FROM unnest($1::text[]) AS name, to_regclass(quote_ident(name)) AS named`,
    [names],
  )
  return new Map(rows.map((row) => [row.name, row]))
}

/**
 * Takes them all, and leaves the transaction with a bound for whatever else it will wait for. Throws
 * LockNotGiven; the caller then ends the transaction.
 */
export async function takeTableLocks(
  query: PlainQuery,
  locks: readonly TableLock[],
): Promise<void> {
  // PostgreSQL ends an autovacuum for whoever has waited for it for a second, which the short waits below
  // never do. This lock keeps it off, and off until the end; nobody who reads or writes rows waits for it,
  // nor does it for them, so it may take its time.
  for (const { table, mode } of locks) {
    if (mode !== 'ROW EXCLUSIVE') await query(`LOCK TABLE ${table} IN SHARE UPDATE EXCLUSIVE MODE`)
  }
  const untilMs = performance.now() + WAIT_FOR_ALL_MS
  for (const lock of locks) {
    const leftMs = Math.round(untilMs - performance.now())
    const waitMs = Math.max(WAIT_LEAST_MS, Math.min(WAIT_MS, leftMs))
    await givingWay(lock.migration, lock, () =>
      query(`SET LOCAL lock_timeout = ${waitMs}; LOCK TABLE ${lock.table} IN ${lock.mode} MODE`),
    )
  }
  await query(`SET LOCAL lock_timeout = ${WAIT_MS}`)
}

/** Runs statements of a migration; throws LockNotGiven where they were not given a lock in time. */
export async function givingWay<T>(
  migration: string,
  lock: TableLock | undefined,
  work: () => Promise<T>,
): Promise<T> {
  try {
    return await work()
  } catch (error) {
    if (codeOf(error) !== LOCK_NOT_AVAILABLE && !isConflict(error)) throw error
    throw new LockNotGiven(migration, lock, { cause: error })
  }
}
