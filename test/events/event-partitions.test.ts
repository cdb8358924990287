// The table of events in partitions: made ahead or when an event needs one, dropped by age, beside
// readers and writers and the release before, which knows the first one alone.

import { randomUUID } from 'node:crypto'
import { type Test, test } from 'tap'
import type { Database } from '../../src/database/database.ts'
import { inTransaction } from '../../src/database/transaction.ts'
import { type AuditEvent, openEventMaker } from '../../src/events/audit-event.ts'
import { listEventPartitions } from '../../src/events/event-partitions.ts'
import { insertEvents, openEventStore } from '../../src/events/event-store.ts'
import { openReadyDatabase } from '../support/database.ts'
import { openTestDatabase } from '../support/postgres.ts'

const DAY_MS = 24 * 60 * 60 * 1000
const KEPT_DAYS = 90
/** So long after the end of the first partition that it is gone, and where three days begin. */
const LATER_MS = (Math.floor(Date.now() / DAY_MS / 3) * 3 + 300) * DAY_MS

async function openStore(t: Test) {
  const { url } = await openTestDatabase(t)
  const database = await openReadyDatabase(t, url)
  const store = openEventStore(database)
  const make = openEventMaker()
  return {
    database,
    store,
    other: () => openReadyDatabase(t, url),
    /** Writes an event of each moment. */
    async write(...moments: number[]): Promise<readonly AuditEvent[]> {
      const events = moments.map((atMs) => make({ type: 'user.created' }, atMs))
      await write(database, events)
      return events
    },
    list: async () => (await store.list({}, { limit: 100, after: undefined })).items,
  }
}

function write(database: Database, events: readonly AuditEvent[]) {
  return inTransaction(database.pool, (client) => insertEvents(client, events))
}

async function namesOf(database: Database): Promise<string[]> {
  return (await listEventPartitions(database.pool)).map(({ table }) => table)
}

test('the table from before becomes the first partition, which the release before goes on using', async (t) => {
  const { database, store, write: add, list } = await openStore(t)
  const old = await add(Date.now() - DAY_MS)
  t.match(await listEventPartitions(database.pool), [{ table: '"events"', untilMs: Infinity }])
  await store.keep(Date.now(), KEPT_DAYS)
  const [first, next] = await listEventPartitions(database.pool)
  const days = ((first?.untilMs ?? 0) - Date.now()) / DAY_MS
  t.ok(days > 12 && days < 15, `${days} days from now`)
  t.equal(next?.fromMs, first?.untilMs, 'the next one is there')
  const id = randomUUID()
  const before = `INSERT INTO events (id, at, type) VALUES ($1, now(), 'user.created')
    ON CONFLICT (id) DO UPDATE SET reason = 'again'`
  for (const _ of [1, 2]) await database.pool.query(before, [id])
  t.match(await list(), [{ id, reason: 'again' }, { id: old[0]?.id }])
})

test('partitions are made ahead, and one that is missing when an event needs it', async (t) => {
  const { database, store, write: add, list } = await openStore(t)
  await store.keep(Date.now(), KEPT_DAYS)
  await store.keep(LATER_MS, KEPT_DAYS)
  const days = async () =>
    (await listEventPartitions(database.pool)).map(({ fromMs, untilMs }) => [
      (fromMs - LATER_MS) / DAY_MS,
      (untilMs - fromMs) / DAY_MS,
    ])
  const ahead = [
    [0, 3],
    [3, 3],
  ]
  t.strictSame(await days(), ahead)
  const moments = [LATER_MS - 1, LATER_MS, LATER_MS + 20 * DAY_MS, LATER_MS + 6 * DAY_MS]
  const events = await add(...moments)
  t.strictSame(await days(), [[-1, 1], ...ahead, [6, 1], [20, 1]])
  await store.keep(LATER_MS + 6 * DAY_MS, KEPT_DAYS)
  t.strictSame((await days()).at(-2), [7, 2], 'as far as its neighbours leave room')
  t.strictSame(
    await list(),
    events.toSorted((one, other) => Number(other.at) - Number(one.at)),
  )
})

test('instances that need the same partition make it once', async (t) => {
  const { store, other, list } = await openStore(t)
  await store.keep(Date.now(), KEPT_DAYS)
  const databases = await Promise.all([1, 2, 3].map(other))
  const written = databases.flatMap((database, number) => {
    const make = openEventMaker()
    const events = [5, 3, 1].map((day) => make({ type: 'user.created' }, LATER_MS + day * DAY_MS))
    const keeps = number === 0 ? [openEventStore(database).keep(LATER_MS, KEPT_DAYS)] : []
    return [write(database, events), ...keeps]
  })
  await Promise.all(written)
  t.equal((await list()).length, 9)
})

test('a partition is dropped when its last event is old enough', async (t) => {
  const { database, store, write: add, list } = await openStore(t)
  await store.keep(Date.now(), KEPT_DAYS)
  await add(Date.now())
  await store.keep(LATER_MS, KEPT_DAYS)
  const kept = await add(LATER_MS + 3 * DAY_MS, LATER_MS + 5 * DAY_MS)
  const old = await add(LATER_MS, LATER_MS + 3 * DAY_MS - 1)
  const oldAtMs = LATER_MS + (3 + KEPT_DAYS) * DAY_MS
  await store.keep(oldAtMs - 1, KEPT_DAYS)
  t.strictSame(await list(), [...kept.toReversed(), ...old.toReversed()])
  await store.keep(oldAtMs, KEPT_DAYS)
  t.strictSame(await list(), kept.toReversed())
  const left = await database.pool.query(
    `SELECT FROM pg_class WHERE relkind = 'r' AND (relname = 'events' OR relname ~ '^audit_events_')`,
  )
  t.equal(left.rowCount, (await namesOf(database)).length, 'no table is left behind')
})

test('nobody waits for a partition that goes, and it goes when nobody is in the way', async (t) => {
  const { database, store, write: add, list } = await openStore(t)
  await store.keep(Date.now(), KEPT_DAYS)
  await store.keep(LATER_MS, KEPT_DAYS)
  await add(LATER_MS)
  const later = LATER_MS + 2 * KEPT_DAYS * DAY_MS
  await inTransaction(
    database.pool,
    async (reader) => {
      await reader.query('SELECT count(*) FROM audit_events')
      await store.keep(later, KEPT_DAYS)
      t.equal((await list()).length, 1, 'others read')
      await add(later)
      t.equal((await list()).length, 2, 'and write')
    },
    20_000,
  )
  await store.keep(later, KEPT_DAYS)
  t.equal((await list()).length, 1)
})

test('what the first partition holds is deleted row by row, being far longer than the others', async (t) => {
  const { database, store, write: add, list } = await openStore(t)
  const nowMs = Date.now()
  for (let part = 0; part < 6; part += 1) {
    await database.pool.query(
      `INSERT INTO events (id, at, type)
       SELECT gen_random_uuid(), to_timestamp($1::float8) - i * interval '1 s', 'user.created'
       FROM generate_series(1, 1000) AS i`,
      [(nowMs - KEPT_DAYS * DAY_MS) / 1000],
    )
  }
  const kept = await add(nowMs - KEPT_DAYS * DAY_MS + 1, nowMs)
  await store.keep(nowMs, KEPT_DAYS)
  t.strictSame(await list(), kept.toReversed())
})

test('a step of a key is one event, also where one partition ends and another begins', async (t) => {
  const { database, store, list } = await openStore(t)
  await store.keep(Date.now(), KEPT_DAYS)
  await store.keep(LATER_MS, KEPT_DAYS)
  const seen = (atMs: number) =>
    openEventMaker()({ type: 'key.activated', detail: { kid: 'a' } }, atMs)
  await write(database, [seen(LATER_MS + 3 * DAY_MS - 1)])
  t.strictSame(await write(database, [seen(LATER_MS + 3 * DAY_MS)]), [])
  t.strictSame(await list(), [seen(LATER_MS + 3 * DAY_MS - 1)])
})

test('however long events are kept, there are some thirty partitions', async (t) => {
  for (const [keptDays, widthDays] of [
    [1, 1],
    [31, 2],
    [3650, 122],
  ] as const) {
    const { database, store } = await openStore(t)
    await store.keep(Date.now(), keptDays)
    await store.keep(LATER_MS, keptDays)
    const last = (await listEventPartitions(database.pool)).at(-1)
    t.equal(((last?.untilMs ?? 0) - (last?.fromMs ?? 0)) / DAY_MS, widthDays)
  }
})
