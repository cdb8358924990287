// What the statements of a migration lock, as it is read from their text and as PostgreSQL does it.

import { readdir, readFile } from 'node:fs/promises'
import pg from 'pg'
import { type Test, test } from 'tap'
import type { PlainQuery } from '../../src/database/plain-query.ts'
import { joinModes, readLocks } from '../../src/database/statement-locks.ts'
import { planTableLocks } from '../../src/database/table-locks.ts'
import { openEmptyDatabase } from '../support/postgres.ts'

const SHIPPED = new URL('../../prisma/migrations/', import.meta.url)
/** Whom nobody but changes of the definition keeps off. */
const OF_READERS = ['AccessShareLock', 'RowShareLock']
/** By the names of pg_locks. Whoever has the one on the left needs none of those on the right besides. */
const COVERS: Readonly<Record<string, readonly string[]>> = {
  'ROW EXCLUSIVE': ['RowExclusiveLock'],
  SHARE: ['ShareLock'],
  'SHARE ROW EXCLUSIVE': [
    'RowExclusiveLock',
    'ShareUpdateExclusiveLock',
    'ShareLock',
    'ShareRowExclusiveLock',
  ],
}

async function open(t: Test): Promise<PlainQuery> {
  const { url } = await openEmptyDatabase(t)
  const client = new pg.Client(url)
  await client.connect()
  t.teardown(() => client.end())
  return async (text, values) => (await client.query(text, values)).rows
}

const tablesOf = async (query: PlainQuery) =>
  (
    await query<{ id: string }>(`SELECT oid::regclass::text AS id FROM pg_class
    WHERE relkind IN ('r', 'p') AND relnamespace = current_schema()::regnamespace`)
  ).map(({ id }) => id)

/** In this transaction, of tables. */
const heldLocks = (query: PlainQuery) =>
  query<{ table: string; mode: string }>(
    `SELECT relation::regclass::text AS table, mode FROM pg_locks
     JOIN pg_class ON pg_class.oid = relation AND relkind IN ('r', 'p')
     WHERE locktype = 'relation' AND pid = pg_backend_pid()`,
  )

test('every lock that a shipped migration takes of a table in use is known before', async (t) => {
  const query = await open(t)
  const names = (await readdir(SHIPPED)).filter((name) => /^\d{14}_\w+$/.test(name)).sort()
  for (const name of names) {
    const sql = await readFile(new URL(`${name}/migration.sql`, SHIPPED), 'utf8')
    const there = new Set(await tablesOf(query))
    const planned = await planTableLocks(query, [{ name, sql }])
    await query('BEGIN')
    await query(sql)
    const held = (await heldLocks(query)).filter(
      ({ table, mode }) => there.has(table) && !OF_READERS.includes(mode),
    )
    await query('COMMIT')
    for (const { table, mode } of held) {
      const plan = planned.find((lock) => lock.table === table)?.mode
      const isCovered = plan === 'ACCESS EXCLUSIVE' || COVERS[plan ?? '']?.includes(mode)
      t.ok(isCovered, `${name} takes ${mode} of ${table}, planned: ${plan}`)
    }
    const used = planned.filter(({ table }) => held.some((lock) => lock.table === table))
    t.strictSame(planned, used, `${name} takes no lock that it does not need`)
  }
})

test('what is dropped names its table, and the tables at the other ends of its keys', async (t) => {
  const query = await open(t)
  await query(`CREATE TABLE a (id int PRIMARY KEY); CREATE TABLE b (a int REFERENCES a);
    CREATE TABLE "C d" (b int); CREATE INDEX on_c ON "C d" (b); CREATE VIEW seen AS SELECT 1`)
  const plan = async (sql: string) =>
    (await planTableLocks(query, [{ name: '1_x', sql }])).map(({ table, mode }) => [table, mode])
  const all = 'ACCESS EXCLUSIVE'
  t.strictSame(await plan('DROP INDEX on_c'), [['"C d"', all]])
  t.strictSame(await plan('alter table b drop constraint b_a_fkey'), [
    ['a', all],
    ['b', all],
  ])
  t.strictSame(await plan('DROP TABLE IF EXISTS "a"'), [
    ['a', all],
    ['b', all],
  ])
  t.strictSame(await plan('ALTER TABLE ONLY b ADD COLUMN c int; DROP VIEW seen'), [['b', all]])
  t.strictSame(await plan('ALTER TABLE nowhere ADD COLUMN c int'), [])
})

test('comments, texts and bodies of functions name no table', (t) => {
  const noise = [
    "-- the service's\nALTER TABLE a ADD b int",
    '/* ; DROP TABLE b; */ ALTER TABLE a ADD b int',
    "ALTER TABLE a ADD b text DEFAULT '; DROP TABLE c; -- it''s'",
    'CREATE FUNCTION f() RETURNS void LANGUAGE sql AS $x$ ; DROP TABLE d; $$ $x$; ALTER TABLE "a" ADD b int',
  ]
  for (const sql of noise) {
    t.strictSame(readLocks(sql), [{ name: 'a', mode: 'ACCESS EXCLUSIVE', withReferences: false }])
  }
  t.end()
})

test('two modes join to one that keeps off whom either keeps off', (t) => {
  t.equal(joinModes('ROW EXCLUSIVE', 'SHARE'), 'SHARE ROW EXCLUSIVE')
  t.equal(joinModes('SHARE', 'ROW EXCLUSIVE'), 'SHARE ROW EXCLUSIVE')
  t.equal(joinModes('SHARE', 'SHARE'), 'SHARE')
  t.equal(joinModes('ACCESS EXCLUSIVE', 'SHARE'), 'ACCESS EXCLUSIVE')
  t.equal(joinModes('ROW EXCLUSIVE', 'SHARE ROW EXCLUSIVE'), 'SHARE ROW EXCLUSIVE')
  t.end()
})
