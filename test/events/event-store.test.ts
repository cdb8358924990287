// The table of events: written once however often it is tried, counted by all instances together,
// read newest first, deleted by age.

import { type Test, test } from 'tap'
import type { Database } from '../../src/database/database.ts'
import { parseCursor } from '../../src/database/keyset-page.ts'
import { inTransaction } from '../../src/database/transaction.ts'
import { type AuditEvent, openEventMaker } from '../../src/events/audit-event.ts'
import type { EventFilter } from '../../src/events/event-list.ts'
import { type EventStore, insertEvents, openEventStore } from '../../src/events/event-store.ts'
import { openReadyDatabase } from '../support/database.ts'
import { openTestDatabase } from '../support/postgres.ts'

const AT_MS = Date.UTC(2026, 5, 1, 12)

async function openStore(t: Test) {
  const { url } = await openTestDatabase(t)
  const database = await openReadyDatabase(t, url)
  return { database, store: openEventStore(database) }
}

async function listAll(store: EventStore, filter: EventFilter = {}) {
  return (await store.list(filter, { limit: 100, after: undefined })).items
}

function write(database: Database, events: readonly AuditEvent[]) {
  return inTransaction(database.pool, (client) => insertEvents(client, events))
}

test('a batch that is written again is there once, with every member', async (t) => {
  const { database, store } = await openStore(t)
  const make = openEventMaker()
  const full = make(
    {
      type: 'refresh.reuse_detected',
      reason: 'why',
      subject: 'user',
      clientId: 'web',
      sessionId: 'session',
      ip: '192.0.2.1',
      userAgent: `"quoted' \\ é 🎉`,
      detail: { by: 'admin', changed: ['a', 'b'], count: 1 },
    },
    AT_MS,
  )
  const bare = make({ type: 'user.created' }, AT_MS)
  await write(database, [full, bare])
  await write(database, [full, bare])
  t.strictSame(await listAll(store), [bare, full])
})

test('a failed transaction leaves nothing', async (t) => {
  const { database, store } = await openStore(t)
  const event = openEventMaker()({ type: 'user.created' }, AT_MS)
  const broken = inTransaction(database.pool, async (client) => {
    await insertEvents(client, [event])
    throw new RangeError('later')
  })
  await t.rejects(broken, RangeError)
  t.strictSame(await listAll(store), [])
})

test('instances count failed logins together, without waiting for each other for ever', async (t) => {
  const { database, store } = await openStore(t)
  const sources = Array.from({ length: 20 }, (_, number) => `192.0.2.${number}`)
  const instance = async (from: readonly string[], minuteMs: number) => {
    const make = openEventMaker()
    for (let round = 0; round < 10; round += 1) {
      const about = { type: 'login.failed', clientId: 'web' } as const
      await write(
        database,
        from.map((ip) => make({ ...about, ip }, minuteMs + round)),
      )
    }
  }
  await Promise.all([
    instance(sources, AT_MS + 500),
    instance(sources.toReversed(), AT_MS),
    instance(sources, AT_MS + 900),
  ])
  const events = await listAll(store)
  t.equal(events.length, 20)
  for (const { detail, clientId } of events) {
    const [firstAt, lastAt] = [AT_MS, AT_MS + 909].map((ms) => new Date(ms).toISOString())
    t.strictSame({ ...detail, clientId }, { count: 30, firstAt, lastAt, clientId: 'web' })
  }
})

test('retries of several sessions name neither subject nor session, and are counted', async (t) => {
  const { database, store } = await openStore(t)
  const make = openEventMaker()
  const retried = (subject: string, sessionId: string) =>
    make({ type: 'refresh.retried', ip: '192.0.2.1', clientId: 'web', subject, sessionId }, AT_MS)
  const one = retried('ann', 's1')
  await write(database, [one])
  await write(database, [retried('ann', 's2')])
  const [counted, ...others] = await listAll(store)
  t.strictSame(others, [])
  t.match(counted, { id: one.id, subject: 'ann', clientId: 'web', detail: { count: 2 } })
  t.notOk(counted && 'sessionId' in counted)
  await write(database, [retried('bob', 's2')])
  t.notOk('subject' in ((await listAll(store))[0] ?? {}))
})

test('what two instances see of a key is kept as the first saw it', async (t) => {
  const { database, store } = await openStore(t)
  const seen = (atMs: number) =>
    openEventMaker()({ type: 'key.activated', detail: { kid: 'a' } }, atMs)
  await write(database, [seen(AT_MS)])
  await write(database, [seen(AT_MS + 2_000)])
  t.strictSame(await listAll(store), [seen(AT_MS)])
})

test('pages go back in time, and filters are exact', async (t) => {
  const { database, store } = await openStore(t)
  const make = openEventMaker()
  const events = Array.from({ length: 10 }, (_, number) =>
    make(
      {
        type: number % 2 === 0 ? 'login.succeeded' : 'token.revoked',
        subject: `user-${number % 3}`,
        clientId: `client-${number % 4}`,
        sessionId: `session-${number}`,
      },
      AT_MS + Math.floor(number / 2),
    ),
  )
  await write(database, events)
  const newestFirst = events.toReversed()
  const first = await store.list({}, { limit: 3, after: undefined })
  t.strictSame(first.items, newestFirst.slice(0, 3))
  const after = parseCursor(first.nextCursor ?? '')
  t.strictSame(await store.list({}, { limit: 7, after }), {
    items: newestFirst.slice(3),
    nextCursor: null,
  })
  const cases: [Parameters<typeof store.list>[0], (event: AuditEvent) => boolean][] = [
    [{ type: ['token.revoked'] }, ({ type }) => type === 'token.revoked'],
    [{ type: ['token.revoked', 'login.succeeded'] }, () => true],
    [{ type: ['user.created'] }, () => false],
    [{ subject: 'user-1' }, ({ subject }) => subject === 'user-1'],
    [{ clientId: 'client-3' }, ({ clientId }) => clientId === 'client-3'],
    [{ sessionId: 'session-5' }, ({ sessionId }) => sessionId === 'session-5'],
    [{ since: new Date(AT_MS + 2) }, ({ at }) => at.getTime() >= AT_MS + 2],
    [{ until: new Date(AT_MS + 2) }, ({ at }) => at.getTime() < AT_MS + 2],
    [
      { subject: 'user-1', type: ['token.revoked'] },
      ({ subject, type }) => subject === 'user-1' && type === 'token.revoked',
    ],
  ]
  for (const [filter, isFound] of cases) {
    t.strictSame(await listAll(store, filter), newestFirst.filter(isFound))
  }
})
