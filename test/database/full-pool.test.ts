// A pool whose connections are all taken: whoever waits in vain is told that it is full, by SQL, by
// Prisma and by a transaction of Prisma's, and never that PostgreSQL is away.

import { type Test, test } from 'tap'
import { guardDatabase, openDatabase } from '../../src/database/database.ts'
import { applyMigrations } from '../../src/database/migrations.ts'
import { DependencyUnavailable } from '../../src/runtime/dependency-unavailable.ts'
import { asAdmin } from '../support/admin-connection.ts'
import { openTestDatabase, startPostgres } from '../support/postgres.ts'
import { until } from '../support/until.ts'

const SIZE = 2
const NOBODY = { id: '00000000-0000-4000-8000-000000000000' }

async function openScene(t: Test) {
  const { url } = await openTestDatabase(t)
  let congested = 0
  const database = openDatabase(url, {
    poolSize: SIZE,
    onCongested: () => {
      congested += 1
    },
  })
  t.teardown(() => database.close())
  await applyMigrations(database.pool)
  const client = await database.prisma()
  const works: Record<string, () => Promise<unknown>> = {
    SQL: () => guardDatabase(() => database.pool.query('SELECT FROM users LIMIT 1')),
    Prisma: () => guardDatabase(() => client.user.findUnique({ where: NOBODY })),
    'a transaction': () =>
      guardDatabase(() =>
        client.$transaction((tx) => tx.user.updateMany({ where: NOBODY, data: { roles: [] } })),
      ),
    'several statements at once': () =>
      guardDatabase(() =>
        Promise.all([1, 2, 3].map(() => client.user.findUnique({ where: NOBODY }))),
      ),
  }
  return { url, database, works, congested: () => congested }
}

const reasonOf = (work: Promise<unknown>) =>
  work.then(
    () => 'done',
    (error: unknown) => (error instanceof DependencyUnavailable ? error.because : String(error)),
  )

test('whoever waits in vain for a connection is told so, however the work is written', async (t) => {
  const { database, works, congested } = await openScene(t)
  const held = await Promise.all([database.pool.connect(), database.pool.connect()])
  const reasons = Object.entries(works).map(async ([what, work]) => [what, await reasonOf(work())])
  // Prisma puts look-ups of one moment into one statement.
  await until('all wait', () => database.load().waiting >= 3)
  t.match(database.load(), { size: SIZE, busy: SIZE })
  t.strictSame(
    await Promise.all(reasons),
    Object.keys(works).map((what) => [what, 'queue']),
  )
  const { waits, waitSeconds, turnedAway, waiting } = database.load()
  t.ok(waits >= 3 && waitSeconds >= 3 && turnedAway >= 3, JSON.stringify(database.load()))
  t.equal(waiting, 0)
  t.ok(congested() >= 3)
  for (const client of held) client.release()
  for (const work of Object.values(works)) t.equal(await reasonOf(work()), 'done')
})

test('a table that somebody holds locked is no outage, and the server is asked to know', async (t) => {
  const { url, works } = await openScene(t)
  await asAdmin(url, async (admin) => {
    await admin.query('BEGIN')
    await admin.query('LOCK TABLE users IN ACCESS EXCLUSIVE MODE')
    for (const [what, work] of Object.entries(works)) {
      t.equal(await reasonOf(work()), 'queue', what)
    }
    await admin.query('ROLLBACK')
  })
})

test('a server that answers nobody is away, a full queue before it or not', async (t) => {
  const server = await startPostgres(t)
  const database = openDatabase(server.url, { poolSize: SIZE })
  t.teardown(() => database.close())
  await Promise.all([1, 2].map(() => database.pool.query('SELECT pg_sleep(0.1)')))
  await database.ping()
  server.pause()
  t.teardown(() => server.resume())
  const asked = () => reasonOf(guardDatabase(() => database.pool.query('SELECT 1')))
  const reasons = await Promise.all([1, 2, 3].map(asked))
  t.strictSame(reasons.slice(0, SIZE), ['outage', 'outage'])
  t.equal(await reasonOf(database.ping()), 'outage')
  server.resume()
})

test('a server that has no connection left for us, and answers on those we have, is not away', async (t) => {
  const server = await startPostgres(t, ['max_connections=8', 'superuser_reserved_connections=0'])
  const database = openDatabase(server.url, { poolSize: 20 })
  t.teardown(() => database.close())
  await database.ping()
  // So that one of them is answered, however long the others take to connect.
  await database.pool.query('SELECT 1')
  const sleeping = Array.from({ length: 20 }, () =>
    reasonOf(guardDatabase(() => database.pool.query('SELECT pg_sleep(0.3)'))),
  )
  const reasons = new Set(await Promise.all(sleeping))
  t.strictSame([...reasons].sort(), ['done', 'queue'])
})
