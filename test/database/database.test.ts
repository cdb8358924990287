// What the pool and the guard promise when the server misbehaves.

import { once } from 'node:events'
import { test } from 'tap'
import { guardDatabase, openDatabase } from '../../src/database/database.ts'
import { inTransaction } from '../../src/database/transaction.ts'
import { StartError } from '../../src/runtime/start-error.ts'
import { openReadyDatabase } from '../support/database.ts'
import { openTestDatabase, startPostgres } from '../support/postgres.ts'

const unavailable = { name: 'DependencyUnavailable', dependency: 'postgresql' }

test('a transaction that a hanging server interrupted is never handed on', async (t) => {
  const server = await startPostgres(t)
  const database = await openReadyDatabase(t, server.url)
  const insert = (name: string) => `INSERT INTO table_versions (name) VALUES ('${name}')`
  const released = once(database.pool, 'release')
  const client = await database.prisma()
  const interrupted = guardDatabase(() =>
    client.$transaction(async (tx) => {
      await tx.$executeRawUnsafe(insert('a'))
      server.pause()
      await tx.$executeRawUnsafe(insert('b'))
    }),
  )
  t.teardown(() => server.resume())
  await t.rejects(interrupted, unavailable)
  // Prisma gives the connection back when its rollback has timed out, too.
  await released
  server.resume()
  await database.pool.query(insert('c'))
  const other = await openReadyDatabase(t, server.url)
  t.strictSame(await (await other.prisma()).tableVersion.findMany(), [{ name: 'c', version: 0n }])
})

test('what the server or the way to it refuses is DependencyUnavailable', async (t) => {
  const { url } = await openTestDatabase(t)
  const database = await openReadyDatabase(t, url)
  const { pool } = database
  const client = await database.prisma()
  const readOnly = openDatabase(`${url}?options=-c%20default_transaction_read_only%3Don`)
  t.teardown(() => readOnly.close())
  const missing = openDatabase(url.replace(/[^/]+$/, 'no_such_database'))
  t.teardown(() => missing.close())
  const refusals: Record<string, () => Promise<unknown>> = {
    'a statement over its time': () => pool.query('SET statement_timeout = 1; SELECT pg_sleep(1)'),
    'the same through Prisma': () =>
      client.$transaction(async (tx) => {
        await tx.$executeRaw`SET LOCAL statement_timeout = 1`
        await tx.$executeRaw`SELECT pg_sleep(1)`
      }),
    'a connection that is ended': () => pool.query('SELECT pg_terminate_backend(pg_backend_pid())'),
    'the same through Prisma, too': () =>
      client.$executeRaw`SELECT pg_terminate_backend(pg_backend_pid())`,
    'a replica': () => readOnly.pool.query(`INSERT INTO table_versions VALUES ('a', 1)`),
    'a replica, through Prisma': async () =>
      (await readOnly.prisma()).tableVersion.create({ data: { name: 'a' } }),
    'a database that is not there': () => missing.pool.query('SELECT 1'),
    'the same through Prisma, again': async () => (await missing.prisma()).user.findMany(),
    'a port that nobody listens on': async () => {
      const nobody = openDatabase('postgres://nobody@127.0.0.1:1/none')
      try {
        await nobody.pool.query('SELECT 1')
      } finally {
        await nobody.close()
      }
    },
  }
  for (const [what, work] of Object.entries(refusals)) {
    await t.rejects(guardDatabase(work), unavailable, what)
  }
  await database.ping()
})

test('a server that takes no writes is a warning, and it goes with its cause', async (t) => {
  const { url } = await openTestDatabase(t)
  const database = await openReadyDatabase(t, url)
  await database.ping()
  t.strictSame(database.warnings(), [])
  const { pool } = database
  // As a full disk says it: the code, from the server.
  await pool.query(`CREATE FUNCTION full_disk() RETURNS trigger LANGUAGE plpgsql AS
    $$ BEGIN RAISE EXCEPTION USING ERRCODE = '53100'; END $$`)
  await pool.query(
    'CREATE TRIGGER full_disk BEFORE INSERT ON table_versions EXECUTE FUNCTION full_disk()',
  )
  const insert = () => pool.query(`INSERT INTO table_versions (name) VALUES ('a')`)
  await t.rejects(guardDatabase(insert), unavailable)
  t.match(database.warnings(), [/53100/])
  await pool.query('DROP TRIGGER full_disk ON table_versions')
  await insert()
  t.strictSame(database.warnings(), [])
  const readOnly = openDatabase(`${url}?options=-c%20default_transaction_read_only%3Don`)
  t.teardown(() => readOnly.close())
  await readOnly.ping()
  t.match(readOnly.warnings(), [/read-only/])
})

test('what the data refuses passes through, and so does a StartError', async (t) => {
  const database = await openReadyDatabase(t, (await openTestDatabase(t)).url)
  const create = async () => (await database.prisma()).tableVersion.create({ data: { name: 'a' } })
  await create()
  await t.rejects(guardDatabase(create), { code: 'P2002' })
  const again = `INSERT INTO table_versions (name) VALUES ('a')`
  await t.rejects(
    guardDatabase(() => database.pool.query(again)),
    { code: '23505' },
  )
  const error = new StartError('connection timeout')
  await t.rejects(
    guardDatabase(() => Promise.reject(error)),
    { name: 'StartError' },
  )
})

test('a transaction that fails or outlives its deadline leaves nothing', async (t) => {
  const database = await openReadyDatabase(t, (await openTestDatabase(t)).url)
  const { pool } = database
  const { tableVersion } = await database.prisma()
  const insert = `INSERT INTO table_versions (name) VALUES ('a')`
  const failing = inTransaction(pool, async (client) => {
    await client.query(insert)
    throw new Error('changed my mind')
  })
  await t.rejects(failing, { message: 'changed my mind' })
  const given: { query(sql: string): Promise<unknown> }[] = []
  const slow = inTransaction(
    pool,
    async (client) => {
      given.push(client)
      await client.query(insert)
      await new Promise(() => {})
    },
    1_000,
  )
  await t.rejects(slow, unavailable)
  t.equal(pool.totalCount, 0, 'its connection is gone at once')
  t.equal(await tableVersion.count(), 0)
  await t.rejects(async () => await given[0]?.query('SELECT 1'), 'what it does later is refused')
  t.equal(await inTransaction(pool, async (client) => (await client.query(insert)).rowCount), 1)
  t.equal(await tableVersion.count(), 1)
})
