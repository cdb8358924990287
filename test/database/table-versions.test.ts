// How a change of a table that instances hold in memory reaches the other instances.

import { type Test, test } from 'tap'
import type { Database } from '../../src/database/database.ts'
import { openPlainQuery } from '../../src/database/plain-query.ts'
import {
  bumpTableVersion,
  startTablePoll,
  type TablePollOptions,
} from '../../src/database/table-versions.ts'
import { inTransaction } from '../../src/database/transaction.ts'
import { DependencyUnavailable } from '../../src/runtime/dependency-unavailable.ts'
import { openReadyDatabase } from '../support/database.ts'
import { openTestDatabase, startPostgres } from '../support/postgres.ts'

const EVERY_MS = 20

/** Two instances of the service on one database. */
async function openTwo(t: Test): Promise<[Database, Database]> {
  const { url } = await openTestDatabase(t)
  return [await openReadyDatabase(t, url), await openReadyDatabase(t, url)]
}

/** A poll that counts, and that a test can wait for. */
function startPoll(t: Test, database: Database, overrides: Partial<TablePollOptions> = {}) {
  const reloads = { clients: 0, signing_keys: 0 }
  const errors: unknown[] = []
  const waiters: (() => void)[] = []
  const poll = startTablePoll({
    database,
    everyMs: EVERY_MS,
    reload: {
      trusted_issuers: async () => {},
      clients: async () => {
        reloads.clients += 1
      },
      signing_keys: async () => {
        reloads.signing_keys += 1
      },
    },
    onTick: () => {
      for (const resolve of waiters.splice(0)) resolve()
    },
    onError: (error) => errors.push(error),
    ...overrides,
  })
  t.teardown(() => poll.stop())
  /** Two ticks, so that at least one of them began after the call. */
  const settle = async () => {
    for (const _ of [1, 2]) await new Promise<void>((resolve) => waiters.push(resolve))
  }
  return { poll, reloads, errors, settle }
}

const bump = (database: Database, name: 'clients' | 'signing_keys') =>
  inTransaction(database.pool, (client) => bumpTableVersion(openPlainQuery(client), name))

test('a change on one instance is reloaded on the other, once and alone', async (t) => {
  const [one, two] = await openTwo(t)
  const { reloads, settle, errors } = startPoll(t, two)
  await settle()
  t.strictSame(reloads, { clients: 1, signing_keys: 1 }, 'what changed before the first tick')
  await settle()
  t.strictSame(reloads, { clients: 1, signing_keys: 1 }, 'nothing changed')
  await bump(one, 'clients')
  await settle()
  t.strictSame(reloads, { clients: 2, signing_keys: 1 })
  await bump(one, 'signing_keys')
  await bump(two, 'signing_keys')
  await settle()
  t.ok(reloads.signing_keys >= 2)
  t.equal(reloads.clients, 2)
  t.strictSame(errors, [])
})

test('a change is seen when its transaction commits, and not when it does not', async (t) => {
  const [one, two] = await openTwo(t)
  const { reloads, settle } = startPoll(t, two)
  await settle()
  const undone = inTransaction(one.pool, async (client) => {
    await bumpTableVersion(openPlainQuery(client), 'clients')
    await settle()
    throw new Error('undone')
  })
  await t.rejects(undone, { message: 'undone' })
  await settle()
  t.equal(reloads.clients, 1)
  await inTransaction(one.pool, async (client) => {
    await bumpTableVersion(openPlainQuery(client), 'clients')
    await settle()
    t.equal(reloads.clients, 1)
  })
  await settle()
  t.equal(reloads.clients, 2)
})

test('changes at the same time all count', async (t) => {
  const [one, two] = await openTwo(t)
  await Promise.all([one, two, one, two, one, two].map((each) => bump(each, 'clients')))
  const rows = await (await one.prisma()).tableVersion.findMany()
  t.strictSame(rows, [{ name: 'clients', version: 6n }])
})

test('ticks never overlap, and a change during a reload is reloaded after it', async (t) => {
  const [one, two] = await openTwo(t)
  let running = 0
  let calls = 0
  let open = () => {}
  const gate = new Promise<void>((resolve) => {
    open = resolve
  })
  const { settle } = startPoll(t, two, {
    reload: {
      trusted_issuers: async () => {},
      clients: async () => {
        running += 1
        calls += 1
        t.equal(running, 1)
        if (calls === 1) {
          await bump(one, 'clients')
          setTimeout(open, 5 * EVERY_MS)
          await gate
        }
        running -= 1
      },
      signing_keys: async () => {},
    },
  })
  await settle()
  t.equal(calls, 2)
})

test('a reload that fails is repeated and keeps no other from reloading', async (t) => {
  const [, two] = await openTwo(t)
  const calls = { clients: 0, signing_keys: 0 }
  const { settle, errors } = startPoll(t, two, {
    reload: {
      trusted_issuers: async () => {},
      clients: async () => {
        calls.clients += 1
        if (calls.clients < 4) throw new Error('not now')
      },
      signing_keys: async () => {
        calls.signing_keys += 1
      },
    },
  })
  await settle()
  t.strictSame(calls, { clients: 4, signing_keys: 1 })
  t.match(errors, [{ message: 'not now' }])
  t.equal(errors.length, 1, 'told once')
})

test('survives outages and tells each one once', async (t) => {
  const server = await startPostgres(t)
  const database = await openReadyDatabase(t, server.url)
  const { errors, reloads, settle } = startPoll(t, database)
  await settle()
  // The poll alone keeps no process alive, and while the server is away nothing else does.
  const alive = setInterval(() => {}, 1_000)
  t.teardown(() => clearInterval(alive))
  for (const outage of [1, 2]) {
    const failed = countQueries(database, 3)
    await server.stop()
    await failed
    await server.start()
    await settle()
    t.equal(errors.length, outage)
    t.ok(errors.every((error) => error instanceof DependencyUnavailable))
  }
  await bump(database, 'clients')
  await settle()
  t.equal(reloads.clients, 2)
})

test('stop waits for the reload in progress and lets none begin', async (t) => {
  const [, two] = await openTwo(t)
  let done = false
  let stopped = Promise.resolve()
  await new Promise<void>((resolve) => {
    const { poll } = startPoll(t, two, {
      reload: {
        trusted_issuers: async () => {},
        clients: async () => {
          stopped = poll.stop()
          resolve()
          await new Promise((later) => setTimeout(later, EVERY_MS))
          done = true
        },
        signing_keys: async () => {
          t.fail('a reload began after the stop')
        },
      },
    })
  })
  await stopped
  t.ok(done)
})

/** Resolves when the poll has asked `count` times more. */
function countQueries(database: Database, count: number): Promise<void> {
  let left = count
  return new Promise((resolve) => {
    const query = database.watch.query.bind(database.watch)
    database.watch.query = ((...args: Parameters<typeof query>) => {
      left -= 1
      if (left < 0) {
        database.watch.query = query
        resolve()
      }
      return query(...args)
    }) as typeof query
  })
}
