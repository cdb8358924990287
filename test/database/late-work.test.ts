// Work whose caller was told that it could not be done: what of it may still reach the server when
// that, or the way there, wakes up again.

import { once } from 'node:events'
import { type AddressInfo, connect, createServer } from 'node:net'
import { type Test, test } from 'tap'
import { guardDatabase, openDatabase } from '../../src/database/database.ts'
import { inTransaction } from '../../src/database/transaction.ts'
import { openReadyDatabase } from '../support/database.ts'
import { openTestDatabase, startPostgres } from '../support/postgres.ts'

const unavailable = { name: 'DependencyUnavailable', dependency: 'postgresql' }

test('what was sent to a frozen server is not done when it wakes', async (t) => {
  const server = await startPostgres(t)
  const database = await openReadyDatabase(t, server.url)
  const { pool } = database
  const client = await database.prisma()
  const insert = (name: string) => `INSERT INTO table_versions (name) VALUES ('${name}')`
  const writes: (() => Promise<unknown>)[] = [
    () => guardDatabase(() => pool.query(insert('sql'))),
    () => guardDatabase(() => client.tableVersion.create({ data: { name: 'prisma' } })),
    () =>
      guardDatabase(() =>
        client.$transaction((tx) => tx.tableVersion.create({ data: { name: 'transaction' } })),
      ),
    () => inTransaction(pool, (client) => client.query(insert('sql transaction'))),
  ]
  // Every one has a connection, so that it gets as far as a frozen server lets it.
  await Promise.all(writes.map(() => pool.query('SELECT pg_sleep(0.1)')))
  server.pause()
  t.teardown(() => server.resume())
  await Promise.all(writes.map((write) => t.rejects(write(), unavailable)))
  server.resume()
  await lastOfTheFrozen(database)
  t.strictSame(await client.tableVersion.findMany(), [])
})

/** Resolves when the server has noticed that nobody holds its old connections any more. */
async function lastOfTheFrozen({ watch }: ReturnType<typeof openDatabase>): Promise<void> {
  for (;;) {
    const { rowCount } = await watch.query(
      `SELECT FROM pg_stat_activity
       WHERE datname = current_database() AND pid <> pg_backend_pid()`,
    )
    if (rowCount === 0) return
  }
}

for (const via of ['SQL', 'Prisma', 'one statement'] as const) {
  test(`a COMMIT that arrives too late commits nothing: ${via}`, async (t) => {
    const { url } = await openTestDatabase(t)
    const direct = await openReadyDatabase(t, url)
    const way = await openSlowWay(t, url, 'COMMIT')
    const database = openDatabase(way.url)
    t.teardown(() => database.close())
    const client = await database.prisma()
    const insert = `INSERT INTO table_versions (name) VALUES ('late')`
    const works: Record<typeof via, () => Promise<unknown>> = {
      SQL: () => inTransaction(database.pool, (client) => client.query(insert)),
      Prisma: () =>
        guardDatabase(() =>
          client.$transaction((tx) => tx.tableVersion.create({ data: { name: 'late' } })),
        ),
      'one statement': () => guardDatabase(() => database.pool.query(insert)),
    }
    const work = works[via]
    await t.rejects(work(), unavailable)
    t.ok(way.isHeld(), 'the COMMIT was on its way')
    await way.deliver()
    t.strictSame(await (await direct.prisma()).tableVersion.findMany(), [])
    t.equal(await work().then(() => 'done'), 'done', 'the same is done where the way is free')
  })
}

/** A way that keeps the first message with `word` in it, and whatever follows, until it is told. */
async function openSlowWay(t: Test, url: string, word: string) {
  const { hostname, port } = new URL(url)
  let held: { readonly deliver: () => Promise<void> } | undefined
  const server = createServer({ allowHalfOpen: true }, (near) => {
    const far = connect({ host: hostname, port: Number(port), allowHalfOpen: true })
    const kept: Buffer[] = []
    near.on('error', () => {}).on('end', () => kept.length > 0 || far.end())
    far.on('error', () => {}).on('data', (bytes) => near.writable && near.write(bytes))
    far.on('end', () => near.end())
    near.on('data', (bytes: Buffer) => {
      if (kept.length === 0 && (held || !bytes.includes(word))) return far.write(bytes)
      kept.push(bytes)
      held ??= {
        async deliver() {
          const over = once(far, 'close')
          for (const part of kept) far.write(part)
          far.end()
          await over
        },
      }
      return true
    })
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  t.teardown(() => server.close())
  const slow = new URL(url)
  slow.host = `127.0.0.1:${(server.address() as AddressInfo).port}`
  return {
    url: slow.href,
    isHeld: () => held !== undefined,
    /** Resolves when the server has worked it off. */
    deliver: async () => await held?.deliver(),
  }
}
