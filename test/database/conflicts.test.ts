// Transactions that the server ends for the sake of others: they are run again from their beginning,
// and whoever asked learns nothing of it.

import pg from 'pg'
import { type Test, test } from 'tap'
import { type Database, guardDatabase, openDatabase } from '../../src/database/database.ts'
import { inTransaction } from '../../src/database/transaction.ts'
import { openReadyDatabase } from '../support/database.ts'
import { openTestDatabase } from '../support/postgres.ts'
import { until } from '../support/until.ts'

/** So that slowness decides nothing: what is shown is that it is done again, not how soon. */
const DEADLINE_MS = 60_000
const READ = 'SELECT FROM table_versions WHERE name = $1 FOR UPDATE'

/** A session beside ours that holds one row, wants another, and is never the one that is ended. */
async function openRival(t: Test, url: string) {
  const rival = new pg.Client({ connectionString: url })
  await rival.connect()
  t.teardown(() => rival.end())
  await rival.query("SET deadlock_timeout = '10min'")
  await rival.query('BEGIN')
  await rival.query(READ, ['signing_keys'])
  return {
    /** Resolves once it waits for the row that we hold. */
    async demand(database: Database): Promise<void> {
      rival.query(READ, ['clients']).then(() => rival.query('COMMIT'), t.error)
      await until('the rival waits', async () => {
        const { rows } = await database.watch.query(
          "SELECT FROM pg_stat_activity WHERE wait_event_type = 'Lock'",
        )
        return rows.length > 0
      })
    },
  }
}

type Lock = (name: 'clients' | 'signing_keys') => Promise<unknown>

/** Runs `work` with something that locks a row: as Prisma does it, and as our own SQL does. */
const WAYS: Record<
  string,
  (database: Database, work: (lock: Lock) => Promise<void>) => Promise<void>
> = {
  'of Prisma': async ({ prisma }, work) => {
    const client = await prisma()
    await guardDatabase(
      () =>
        client.$transaction((tx) =>
          work(
            (name) => tx.$queryRaw`SELECT 1 FROM table_versions WHERE name = ${name} FOR UPDATE`,
          ),
        ),
      DEADLINE_MS,
    )
  },
  'of our own': ({ pool }, work) =>
    inTransaction(pool, (client) => work((name) => client.query(READ, [name])), DEADLINE_MS),
}

for (const [way, run] of Object.entries(WAYS)) {
  test(`a transaction ${way} that was ended by a deadlock is run again`, async (t) => {
    const { url } = await openTestDatabase(t)
    await openReadyDatabase(t, url)
    await runOnce(url, `INSERT INTO table_versions (name) VALUES ('clients'), ('signing_keys')`)
    await runOnce(url, `ALTER DATABASE ${databaseOf(url)} SET deadlock_timeout = '20ms'`)
    const database = openDatabase(url)
    t.teardown(() => database.close())
    await database.prisma()
    const rival = await openRival(t, url)
    let attempts = 0
    await run(database, async (lock) => {
      attempts += 1
      await lock('clients')
      if (attempts === 1) await rival.demand(database)
      await lock('signing_keys')
    })
    t.equal(attempts, 2)
  })

  test(`a transaction ${way} that could not be serialised is run again`, async (t) => {
    const { url } = await openTestDatabase(t)
    const database = await openReadyDatabase(t, url)
    let attempts = 0
    await run(database, async (lock) => {
      attempts += 1
      await lock('clients')
      if (attempts > 1) return
      const refuse = "DO $$ BEGIN RAISE EXCEPTION 'serialize' USING ERRCODE = '40001'; END $$"
      await database.pool.query(refuse)
    })
    t.equal(attempts, 2)
  })
}

function databaseOf(url: string): string {
  return pg.escapeIdentifier(new URL(url).pathname.slice(1))
}

async function runOnce(url: string, statement: string): Promise<void> {
  const client = new pg.Client({ connectionString: url })
  await client.connect()
  await client.query(statement)
  await client.end()
}
