// The outbox: a delivery is claimed by one, once, whoever asks at the same time.

import { type Test, test } from 'tap'
import { inTransaction } from '../../src/database/transaction.ts'
import { openEventMaker } from '../../src/events/audit-event.ts'
import { insertEvents } from '../../src/events/event-store.ts'
import {
  addDeliveries,
  openWebhookOutbox,
  type WebhookOutbox,
} from '../../src/webhooks/webhook-outbox.ts'
import { openWebhookStore } from '../../src/webhooks/webhook-store.ts'
import { openReadyDatabase } from '../support/database.ts'
import { openTestDatabase } from '../support/postgres.ts'
import { rootSecretsOf } from '../support/root-secrets.ts'

const SETTINGS = {
  url: 'https://hooks.example.com/',
  events: ['user.created'],
  description: '',
  status: 'active',
  allowPrivateNetwork: false,
} as const

/** So many of each webhook that has something due. */
async function claimDue(outbox: WebhookOutbox, room: number, exceptIds: readonly string[] = []) {
  const due = await outbox.listDue(exceptIds)
  return await outbox.claim(due.map((webhookId) => ({ webhookId, room })))
}

async function deliveriesOf(outbox: WebhookOutbox, webhookId: string) {
  return (await outbox.list(webhookId, {}, { limit: 100, after: undefined })).items
}

/** A database with so many subscribers, and two instances on it. */
async function openOutboxes(t: Test, webhookCount: number) {
  const { url } = await openTestDatabase(t)
  const databases = [await openReadyDatabase(t, url), await openReadyDatabase(t, url)] as const
  const [database] = databases
  const store = openWebhookStore({ database, rootSecrets: rootSecretsOf(1), clock: Date.now })
  const ids: string[] = []
  for (let count = 0; count < webhookCount; count += 1) {
    ids.push((await store.create(SETTINGS)).webhook.id)
  }
  const make = openEventMaker()
  return {
    database,
    store,
    webhookIds: ids,
    outboxes: databases.map(openWebhookOutbox),
    /** Writes so many events as the queue does, twice, as after an answer that was lost. */
    async writeEvents(count: number) {
      const about = { type: 'user.created', subject: 'user' } as const
      const events = Array.from({ length: count }, () => make(about, Date.now()))
      for (const _ of [1, 2]) {
        await inTransaction(database.pool, async (client) => {
          await addDeliveries(client, await insertEvents(client, events))
        })
      }
      return events
    },
  }
}

test('claims at the same time share what is due, each delivery once', async (t) => {
  const { outboxes, webhookIds, writeEvents } = await openOutboxes(t, 20)
  await writeEvents(20)
  const seen: string[] = []
  for (;;) {
    const claims = [1, 2, 3, 4].flatMap(() => outboxes.map((outbox) => claimDue(outbox, 4)))
    const claimed = (await Promise.all(claims)).flat()
    t.ok(claimed.every(({ attempts }) => attempts === 1))
    seen.push(...claimed.map(({ webhookId, event }) => `${webhookId} ${event?.id}`))
    if (claimed.length === 0) break
  }
  t.equal(seen.length, webhookIds.length * 20)
  t.equal(new Set(seen).size, seen.length)
})

test('a claim takes of each webhook what it has room for, and busy ones are left out', async (t) => {
  const { outboxes, webhookIds, writeEvents } = await openOutboxes(t, 3)
  const [outbox] = outboxes
  if (!outbox) throw new Error('no outbox')
  const events = await writeEvents(10)
  const [busy = '', one = '', other = ''] = webhookIds
  t.strictSame((await outbox.listDue([busy])).toSorted(), [one, other].toSorted())
  const claimed = await outbox.claim([
    { webhookId: one, room: 2 },
    { webhookId: other, room: 20 },
  ])
  const countOf = (id: string) => claimed.filter(({ webhookId }) => webhookId === id).length
  t.strictSame([countOf(busy), countOf(one), countOf(other)], [0, 2, 10])
  t.strictSame((await outbox.listDue([])).toSorted(), [busy, one].toSorted())
  const known = new Set(events.map(({ id }) => id))
  t.ok(claimed.every(({ event }) => event && known.has(event.id) && event.subject === 'user'))
})

test('an outcome that comes after its claim was over changes nothing', async (t) => {
  const { database, outboxes, webhookIds, writeEvents } = await openOutboxes(t, 1)
  const [one, other] = outboxes
  const [webhookId = ''] = webhookIds
  if (!one || !other) throw new Error('no outbox')
  await writeEvents(1)
  const [late] = await claimDue(one, 1)
  await database.pool.query('UPDATE webhook_deliveries SET next_attempt_at = now()')
  const [current] = await claimDue(other, 1)
  if (!late || !current) throw new Error('not claimed')
  const failed = { status: 'failed', lastStatus: 500, lastError: undefined } as const
  await one.settle(late, { ...failed, retryInSeconds: undefined })
  t.match(await deliveriesOf(one, webhookId), [{ status: 'pending', attempts: 2 }])
  const delivered = { status: 'delivered', lastStatus: 200, lastError: undefined } as const
  await other.settle(current, { ...delivered, retryInSeconds: undefined })
  await other.settle(current, { ...failed, retryInSeconds: undefined })
  t.match(await deliveriesOf(one, webhookId), [{ status: 'delivered', lastStatus: 200 }])
})

test('a disabled webhook keeps what waits; a deleted one and pruning take it away', async (t) => {
  const { outboxes, store, webhookIds, writeEvents } = await openOutboxes(t, 2)
  const [outbox] = outboxes
  const [one = '', two = ''] = webhookIds
  if (!outbox) throw new Error('no outbox')
  await writeEvents(1)
  await store.patch(one, { status: 'disabled' })
  t.strictSame(
    (await claimDue(outbox, 10)).map(({ webhookId }) => webhookId),
    [two],
  )
  await store.patch(one, { status: 'active' })
  t.equal((await claimDue(outbox, 10)).length, 1)
  await store.delete(one)
  t.strictSame(await deliveriesOf(outbox, one), [])
  await outbox.prune(Date.now() - 60_000)
  t.equal((await deliveriesOf(outbox, two)).length, 1)
  await outbox.prune(Date.now() + 60_000)
  t.strictSame(await deliveriesOf(outbox, two), [])
})
