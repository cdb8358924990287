// Keys of names that an older release has left: computed anew once, with the migrations, or nothing
// is done at all.

import { randomUUID } from 'node:crypto'
import type pg from 'pg'
import { type Test, test } from 'tap'
import {
  applyMigrations,
  checkMigrations,
  listPendingMigrations,
} from '../../src/database/migrations.ts'
import { openReadyDatabase } from '../support/database.ts'
import { openTestDatabase } from '../support/postgres.ts'

const MIGRATION = '20261128040100_folded_names'
const STEP = 'user_name_keys'

interface OldUser {
  readonly username: string
  readonly email?: string
  /** As the release before has computed it, unless it is to be something else. */
  readonly usernameKey?: string
}

async function open(t: Test): Promise<pg.Pool> {
  return (await openReadyDatabase(t, (await openTestDatabase(t)).url)).pool
}

/** Users of the release before, oldest id first; returns their ids. */
async function insertOld(pool: pg.Pool, users: readonly OldUser[]): Promise<string[]> {
  const ids = users.map(() => randomUUID()).sort()
  const emails = users.map(({ email }, index) => email ?? `user${index}@example.org`)
  await pool.query(
    `INSERT INTO users (id, username, username_key, email, email_key)
     SELECT * FROM unnest($1::uuid[], $2::text[], $3::text[], $4::text[], $5::text[])`,
    [
      ids,
      users.map(({ username }) => username),
      users.map(({ username, usernameKey }) => usernameKey ?? username.toLowerCase()),
      emails,
      emails.map((email) => email.toLowerCase()),
    ],
  )
  return ids
}

/** As if this database had never seen the migration. */
async function forgetMigration(pool: pg.Pool): Promise<void> {
  await pool.query('DELETE FROM _prisma_migrations WHERE migration_name = $1', [MIGRATION])
}

async function keysOf(pool: pg.Pool): Promise<string[]> {
  const { rows } = await pool.query<{ key: string }>(
    `SELECT username_key || ' ' || email_key AS key FROM users ORDER BY id`,
  )
  return rows.map(({ key }) => key)
}

const countMarks = async (pool: pg.Pool) =>
  (await pool.query('SELECT FROM table_versions WHERE name = $1', [STEP])).rowCount

test('keys are computed anew once, at the first start of this release', async (t) => {
  const pool = await open(t)
  await insertOld(pool, [
    { username: 'ΠΑΠΑΣ', email: 'ΠΑΠΑΣ@ΑΣ.gr' },
    { username: 'Straße' },
    { username: 'Ann', email: 'ann@straße.de' },
    { username: 'zoë' },
    // Each has the other's key of before.
    { username: 'Ä', usernameKey: 'ö' },
    { username: 'Ö', usernameKey: 'ä' },
  ])
  await pool.query('INSERT INTO users (id) VALUES (gen_random_uuid())')
  await forgetMigration(pool)
  t.strictSame(await applyMigrations(pool), [MIGRATION, STEP])
  t.strictSame((await keysOf(pool)).filter(Boolean), [
    'παπασ παπασ@ασ.gr',
    'strasse user1@example.org',
    'ann ann@strasse.de',
    'zoë user3@example.org',
    'ä user4@example.org',
    'ö user5@example.org',
  ])
  t.equal(await countMarks(pool), 0)
  t.strictSame(await applyMigrations(pool), [])
  await checkMigrations(pool)
})

test('a check refuses keys of before, also after SQL alone was applied', async (t) => {
  const pool = await open(t)
  await insertOld(pool, [{ username: 'ΠΑΠΑΣ' }])
  await pool.query('INSERT INTO table_versions (name) VALUES ($1)', [STEP])
  t.strictSame(await listPendingMigrations(pool), [STEP])
  const lacks = { name: 'StartError', message: /lacks migrations: user_name_keys/ }
  await t.rejects(checkMigrations(pool), lacks)
  t.strictSame(await keysOf(pool), ['παπας user0@example.org'], 'a check changes nothing')
  const starts = await Promise.all([applyMigrations(pool), applyMigrations(pool)])
  t.strictSame(starts.flat(), [STEP], 'one of two that start together')
  t.strictSame(await keysOf(pool), ['παπασ user0@example.org'])
  await checkMigrations(pool)
})

test('plain names leave nothing to do', async (t) => {
  const pool = await open(t)
  await insertOld(pool, [{ username: 'Ann' }])
  await forgetMigration(pool)
  t.strictSame(await applyMigrations(pool), [MIGRATION])
})

test('two that become one stop it with their ids, and nothing is half done', async (t) => {
  const pool = await open(t)
  const ids = await insertOld(pool, [
    { username: 'γιωργος', email: 'one@example.org' },
    { username: 'ΓΙΩΡΓΟΣ', usernameKey: 'γιωργοσ', email: 'two@example.org' },
    { username: 'Straße', email: 'a@straße.de' },
    { username: 'strasse', email: 'a@strasse.de' },
    { username: 'ΑΣ' },
  ])
  await forgetMigration(pool)
  const before = await keysOf(pool)
  const [george, other, street, road] = ids
  const message =
    'users have the same name by full case folding, nothing was changed: ' +
    `${[`username of ${george} and ${other}`, `username of ${street} and ${road}`].join('; ')}; ` +
    `email of ${street} and ${road} (docs/operations.md, "Names that became one", says what to do)`
  await t.rejects(applyMigrations(pool), { name: 'StartError', message })
  t.strictSame(await keysOf(pool), before)
  t.strictSame(await listPendingMigrations(pool), [MIGRATION])

  await pool.query(
    `UPDATE users SET username = 'renamed-' || id, username_key = 'renamed-' || id,
       email = 'x@' || id, email_key = 'x@' || id WHERE id = ANY($1)`,
    [[other, road]],
  )
  t.strictSame(await applyMigrations(pool), [MIGRATION, STEP])
  t.match(await keysOf(pool), ['γιωργοσ one@example.org', /./, 'strasse a@strasse.de', /./, /^ασ /])
})

test('the list of those who became one is bounded, whoever they are', async (t) => {
  const pool = await open(t)
  const pairs = Array.from({ length: 1_100 }, (_, index) => [
    { username: `straße${index}`, email: `ß${index}@example.org` },
    { username: `strasse${index}`, email: `s${index}@example.org` },
  ])
  await insertOld(pool, pairs.flat())
  await forgetMigration(pool)
  const error = await applyMigrations(pool).catch((thrown: unknown) => thrown)
  t.match(error, { name: 'StartError', message: /; and more / })
  const { message } = error as Error
  t.equal(message.match(/username of/g)?.length, 20)
  t.ok(message.length < 3_000)
})

test('names that an older instance writes later are found when that is asked for', async (t) => {
  const pool = await open(t)
  await insertOld(pool, [{ username: 'ΠΑΠΑΣ' }, { username: 'Ann' }])
  t.strictSame(await applyMigrations(pool), [])
  t.strictSame(await applyMigrations(pool, { everyName: true }), [STEP])
  t.strictSame(await applyMigrations(pool, { everyName: true }), [])
  t.match(await keysOf(pool), ['παπασ user0@example.org', /^ann /])
})
