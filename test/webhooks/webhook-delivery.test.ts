// Webhooks from end to end: signed, sent once by however many instances, tried again until they are
// taken, over a restart too.

import type { ServerResponse } from 'node:http'
import pg from 'pg'
import { type Test, test } from 'tap'
import { createLogger } from '../../src/ops/logger.ts'
import { openService } from '../../src/wiring/open-service.ts'
import { type StartAppOptions, startApp, type TestApp, testConfig } from '../support/app.ts'
import { readEvents } from '../support/audit.ts'
import { openTestDatabase } from '../support/postgres.ts'
import { until } from '../support/until.ts'
import { isSignedBy, startReceiver } from '../support/webhook-receiver.ts'

interface DeliveryJson {
  readonly id: string
  readonly eventId: string | null
  readonly type: string
  readonly status: 'pending' | 'delivered' | 'failed'
  readonly attempts: number
  readonly nextAttemptAt: string | null
  readonly lastAttemptAt: string | null
  readonly lastStatus: number | null
  readonly lastError: string | null
}

async function subscribe(app: TestApp, url: string, settings: object = {}) {
  const answer = await app.admin('POST', '/admin/webhooks', {
    url,
    events: ['user.created'],
    allowPrivateNetwork: true,
    ...settings,
  })
  if (answer.status !== 201) throw new Error(`no webhook: ${await answer.text()}`)
  return (await answer.json()) as { id: string; secret: string }
}

async function readDeliveries(app: TestApp, id: string, query = ''): Promise<DeliveryJson[]> {
  const answer = await app.admin('GET', `/admin/webhooks/${id}/deliveries?limit=200${query}`)
  return ((await answer.json()) as { items: DeliveryJson[] }).items
}

/** Waits for the outcome of an attempt: the first one, or the one after `before`. */
function waitForOutcome(app: TestApp, id: string, before?: DeliveryJson): Promise<DeliveryJson> {
  return until('the outcome', async () => {
    const [delivery] = await readDeliveries(app, id)
    return delivery?.lastAttemptAt !== (before?.lastAttemptAt ?? null) && delivery
  })
}

/** What is next tried in five seconds or in hours is due now. */
async function makeDue({ databaseUrl }: Pick<TestApp, 'databaseUrl'>): Promise<void> {
  const client = new pg.Client({ connectionString: databaseUrl })
  await client.connect()
  await client.query(
    `UPDATE webhook_deliveries SET next_attempt_at = now() WHERE status = 'pending'`,
  )
  await client.end()
}

const fail = (response: ServerResponse) => void response.writeHead(500).end()
const take = (response: ServerResponse) => void response.writeHead(204).end()

async function start(t: Test, options: StartAppOptions = {}) {
  return { app: await startApp(t, options), receiver: await startReceiver(t) }
}

test('an event is sent as it is shown, signed, with an id of its own', async (t) => {
  const { app, receiver } = await start(t)
  const { id, secret } = await subscribe(app, receiver.url)
  const user = await app.makeUser()
  await app.makeClient({})
  const [message] = await receiver.wait(1)
  if (!message) throw new Error('no message')
  t.ok(isSignedBy(secret, message))
  t.notOk(isSignedBy('whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw', message))
  const [event] = await readEvents(app, '&type=user.created')
  t.strictSame(message.json, { type: 'user.created', timestamp: event?.at, data: event })
  t.match(message.json.data, { subject: user.id })
  const age = Date.now() / 1000 - Number(message.headers['webhook-timestamp'])
  t.ok(age > -2 && age < 60)
  const delivery = await waitForOutcome(app, id)
  t.match(delivery, { eventId: event?.id, status: 'delivered', lastStatus: 204, attempts: 1 })
  t.equal(message.headers['webhook-id'], delivery.id)
  t.equal(delivery.nextAttemptAt, null)
  t.equal(receiver.received.length, 1, 'other types are not sent')
})

test('each subscriber gets what it subscribes to; a disabled or later one does not', async (t) => {
  const { app, receiver } = await start(t)
  const at = (path: string) => receiver.url.replace('/hook', path)
  await subscribe(app, at('/users'), { events: ['user.created', 'user.deleted'] })
  await subscribe(app, at('/clients'), { events: ['client.created'] })
  await subscribe(app, at('/off'), { status: 'disabled' })
  const { id } = await app.makeUser()
  await app.makeClient({})
  await app.admin('DELETE', `/admin/users/${id}`)
  await receiver.wait(3)
  await subscribe(app, at('/late'))
  await app.service.deliverDue()
  const sent = receiver.received.map(({ path, json }) => `${path} ${json.type}`)
  t.strictSame(sent.toSorted(), [
    '/clients client.created',
    '/users user.created',
    '/users user.deleted',
  ])
})

/** In how many seconds of the database's clock, or 0. */
const waitOf = ({ nextAttemptAt, lastAttemptAt }: DeliveryJson) =>
  (Date.parse(nextAttemptAt ?? '') - Date.parse(lastAttemptAt ?? '')) / 1000

test('410 ends it, and Retry-After is honoured within bounds', async (t) => {
  const { app, receiver } = await start(t)
  const gone = await subscribe(app, receiver.url.replace('/hook', '/gone'))
  const busy = await subscribe(app, receiver.url.replace('/hook', '/busy'))
  const patient = await subscribe(app, receiver.url.replace('/hook', '/patient'))
  receiver.answerWith((response, { path }) => {
    const later = new Date(Date.now() + 600_000).toUTCString()
    const after = { '/busy': later, '/patient': '999999999', '/gone': '1' }[path] ?? ''
    response.writeHead(path === '/gone' ? 410 : 503, { 'retry-after': after }).end()
  })
  await app.makeUser()
  const ended = await waitForOutcome(app, gone.id)
  t.match(ended, { status: 'failed', lastStatus: 410, attempts: 1, nextAttemptAt: null })
  const asked = await waitForOutcome(app, busy.id)
  t.match(asked, { status: 'pending', lastStatus: 503 })
  t.ok(Math.abs(waitOf(asked) - 600) < 120, `${waitOf(asked)} s`)
  const bounded = waitOf(await waitForOutcome(app, patient.id))
  t.ok(Math.abs(bounded - 1_800) < 2, `${bounded} s`)
})

test('receivers that hang hold a quarter of what is sent, and the others are sent theirs', async (t) => {
  const { app, receiver } = await start(t)
  const hanging = new Set<ServerResponse>()
  let mostHanging = 0
  receiver.answerWith((response, { path }) => {
    if (!path.startsWith('/hang')) return take(response)
    if (!receiver.received.some((message) => message.path === '/live')) return fail(response)
    hanging.add(response.once('close', () => hanging.delete(response)))
    mostHanging = Math.max(mostHanging, hanging.size)
  })
  const slow = await Promise.all(
    Array.from({ length: 24 }, (_, index) =>
      subscribe(app, receiver.url.replace('/hook', `/hang-${index}`)),
    ),
  )
  await app.makeUser()
  for (const { id } of slow) await waitForOutcome(app, id)
  await subscribe(app, receiver.url.replace('/hook', '/live'))
  for (let count = 0; count < 5; count += 1) await app.makeUser()
  await until('all of the live one', () => {
    return receiver.received.filter(({ path }) => path === '/live').length === 5
  })
  t.ok(mostHanging <= 16, `${mostHanging} at once`)
})

test('receivers that hang from the first message on take nothing from a live one', async (t) => {
  const { app, receiver } = await start(t)
  const hanging = new Set<string>()
  receiver.answerWith((response, { path }) => {
    if (path.startsWith('/hang')) hanging.add(path)
    else take(response)
  })
  const paths = ['/live', ...Array.from({ length: 16 }, (_, index) => `/hang-${index}`)]
  for (const path of paths) {
    await subscribe(app, receiver.url.replace('/hook', path), { events: ['user.updated'] })
  }
  const isLive = ({ path }: { path: string }) => path === '/live'
  for (let count = 0; count < 30; count += 1) app.service.recordEvent({ type: 'user.updated' })
  await until('all of both', () => {
    return hanging.size === 16 && receiver.received.filter(isLive).length === 30
  })
  t.equal(receiver.received.length, 30 + 16, 'one of each that hangs')
})

test('a receiver that takes what it is sent is sent eight at the same time, and never more', async (t) => {
  const { app, receiver } = await start(t)
  const held: ServerResponse[] = []
  receiver.answerWith((response) => void held.push(response))
  await subscribe(app, receiver.url, { events: ['user.updated'] })
  for (let count = 0; count < 60; count += 1) app.service.recordEvent({ type: 'user.updated' })
  const most: number[] = []
  for (let taken = 0; taken < 60; ) {
    const wanted = Math.min(8, most.length === 0 ? 1 : taken + 1, 60 - taken)
    await until('the next ones', () => held.length >= wanted)
    most.push(held.length)
    taken += held.length
    for (const response of held.splice(0)) take(response)
  }
  t.equal(Math.max(...most), 8)
})

test('what fails is tried again with the same id and a new signature, also after a restart', async (t) => {
  const { url: databaseUrl } = await openTestDatabase(t)
  const receiver = await startReceiver(t)
  receiver.answerWith(fail)
  const logger = createLogger('silent')
  const first = await openService({ config: testConfig(databaseUrl), logger })
  const { webhook, secret } = await first.webhooks.create({
    url: receiver.url,
    events: ['user.updated'],
    description: '',
    status: 'active',
    allowPrivateNetwork: true,
  })
  first.recordEvent({ type: 'user.updated', subject: 'somebody' })
  await receiver.wait(1)
  await first.close()
  const app = await startApp(t, { beside: { databaseUrl } })
  const failed = await waitForOutcome(app, webhook.id)
  t.match(failed, { status: 'pending', lastStatus: 500, attempts: 1 })
  receiver.answerWith(take)
  await makeDue(app)
  const [one, two] = await receiver.wait(2)
  if (!one || !two) throw new Error('not sent')
  t.equal(two.headers['webhook-id'], one.headers['webhook-id'])
  t.equal(two.body, one.body)
  for (const message of [one, two]) t.ok(isSignedBy(secret, message))
  const delivered = await waitForOutcome(app, webhook.id, failed)
  t.match(delivered, { id: failed.id, status: 'delivered', lastStatus: 204, attempts: 2 })
})

test('events that a stop wrote at the last moment are sent by the next start', async (t) => {
  const { url: databaseUrl } = await openTestDatabase(t)
  const receiver = await startReceiver(t)
  const logger = createLogger('silent')
  const first = await openService({ config: testConfig(databaseUrl), logger })
  await first.webhooks.create({
    url: receiver.url,
    events: ['user.updated'],
    description: '',
    status: 'active',
    allowPrivateNetwork: true,
  })
  for (let count = 0; count < 30; count += 1) first.recordEvent({ type: 'user.updated' })
  await first.close()
  t.equal(receiver.received.length, 0)
  await startApp(t, { beside: { databaseUrl } })
  const messages = await receiver.wait(30)
  t.equal(new Set(messages.map(({ headers }) => headers['webhook-id'])).size, 30)
  t.equal(messages.length, 30)
})

test('two instances send every message once', async (t) => {
  const { app, receiver } = await start(t)
  const other = await startApp(t, { beside: app })
  const { id } = await subscribe(app, receiver.url, { events: ['user.updated'] })
  for (let number = 0; number < 60; number += 1) {
    const { recordEvent } = number % 2 === 0 ? app.service : other.service
    recordEvent({ type: 'user.updated', subject: String(number) })
  }
  while (receiver.received.length < 60) {
    await Promise.all([app.service.deliverDue(), other.service.deliverDue()])
  }
  const all = await until('all outcomes', async () => {
    const deliveries = await readDeliveries(app, id, '&status=delivered')
    return deliveries.length === 60 && deliveries
  })
  await Promise.all([app.service.deliverDue(), other.service.deliverDue()])
  t.equal(receiver.received.length, 60)
  t.strictSame(
    receiver.received.map(({ headers }) => headers['webhook-id']).toSorted(),
    all.map((delivery) => delivery.id).toSorted(),
  )
  t.ok(all.every(({ attempts }) => attempts === 1))
})

test('what an instance had claimed when it died is sent by another one, after its lease', async (t) => {
  const { app, receiver } = await start(t)
  receiver.answerWith(() => {})
  const { id } = await subscribe(app, receiver.url)
  await app.makeUser()
  await receiver.wait(1)
  const [held] = await readDeliveries(app, id)
  const leaseMs = Date.parse(held?.nextAttemptAt ?? '') - Date.now()
  t.ok(leaseMs > 20_000 && leaseMs < 70_000, `${leaseMs} ms`)
  const other = await startApp(t, { beside: app })
  await other.service.deliverDue()
  t.equal(receiver.received.length, 1, 'it is not sent while the lease holds')
  receiver.answerWith(take)
  await makeDue(app)
  await other.service.deliverDue()
  await receiver.wait(2)
  t.match(await waitForOutcome(app, id), { status: 'delivered', attempts: 2 })
})

test('after eight attempts a message is given up, which is logged', async (t) => {
  const { app, receiver } = await start(t)
  receiver.answerWith(fail)
  const { id } = await subscribe(app, receiver.url)
  await app.makeUser()
  const waits: number[] = []
  let delivery: DeliveryJson | undefined
  for (let attempts = 1; attempts <= 8; attempts += 1) {
    delivery = await waitForOutcome(app, id, delivery)
    t.match(delivery, { attempts, status: attempts < 8 ? 'pending' : 'failed' })
    if (delivery.nextAttemptAt) waits.push(Date.parse(delivery.nextAttemptAt) - Date.now())
    await makeDue(app)
    await app.service.deliverDue()
  }
  t.equal(receiver.received.length, 8)
  const hours = waits.map((ms) => ms / 3_600_000)
  t.ok(
    hours.every((wait, index) => wait > (hours[index - 1] ?? -1)),
    'each wait is longer',
  )
  t.ok((hours[0] ?? 1) < 0.01 && (hours.at(-1) ?? 0) > 5, hours.join(' '))
  t.ok(hours.reduce((sum, wait) => sum + wait, 0) < 24, 'within the least retention')
  t.match(
    app.log.find(({ event }) => event === 'webhook.failed'),
    { webhookId: id, lastStatus: 500 },
  )
  t.match(await readDeliveries(app, id, '&status=failed'), [{ attempts: 8, nextAttemptAt: null }])
})

test('a redirect, a private address and a name of one are failures that send nothing', async (t) => {
  const { app, receiver } = await start(t)
  const target = await startReceiver(t)
  receiver.answerWith((response) => response.writeHead(307, { location: target.url }).end())
  const redirected = await subscribe(app, receiver.url)
  const named = await subscribe(app, `https://localhost:${target.port}/`, {
    allowPrivateNetwork: false,
  })
  await app.makeUser()
  t.match(await waitForOutcome(app, redirected.id), { status: 'pending', lastStatus: 307 })
  t.match(await waitForOutcome(app, named.id), { status: 'pending', lastError: 'address_refused' })
  t.equal(target.received.length, 0)
})

test('a receiver that hangs holds up no other one', async (t) => {
  const { app, receiver } = await start(t)
  const slow = await startReceiver(t)
  slow.answerWith(() => {})
  await subscribe(app, slow.url, { events: ['user.updated'] })
  await subscribe(app, receiver.url, { events: ['user.updated'] })
  for (let count = 0; count < 40; count += 1) app.service.recordEvent({ type: 'user.updated' })
  await receiver.wait(40)
  t.ok(slow.received.length <= 4)
})

test('failed logins are sent once, when their minute is over', async (t) => {
  const { app, receiver } = await start(t)
  const { id } = await subscribe(app, receiver.url, { events: ['login.failed'] })
  const about = { type: 'login.failed', ip: '192.0.2.1' } as const
  app.service.recordEvent(about)
  const [waiting] = await until('the delivery', async () => {
    const deliveries = await readDeliveries(app, id)
    return deliveries.length > 0 && deliveries
  })
  const [event] = await readEvents(app, '&type=login.failed')
  const minuteEndMs = (Math.floor(Date.parse(event?.at ?? '') / 60_000) + 1) * 60_000
  t.equal(Date.parse(waiting?.nextAttemptAt ?? ''), minuteEndMs + 1_000)
  await makeDue(app)
  const [message] = await receiver.wait(1)
  t.match(message?.json.data, { detail: { count: 1 } })
})
