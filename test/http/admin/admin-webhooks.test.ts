// /admin/webhooks: subscriptions as an administrator manages them. How they are sent is
// test/webhooks/webhook-delivery.test.ts.

import { createHmac } from 'node:crypto'
import { type Test, test } from 'tap'
import { createLogger } from '../../../src/ops/logger.ts'
import { openRootSecrets } from '../../../src/secrets/root-secret.ts'
import { openService } from '../../../src/wiring/open-service.ts'
import { startApp, type TestApp, testConfig } from '../../support/app.ts'
import { readEvents, waitForEvent } from '../../support/audit.ts'
import { openTestDatabase } from '../../support/postgres.ts'
import { ROOT_SECRET, rootSecretOf } from '../../support/root-secrets.ts'
import { until } from '../../support/until.ts'
import { isSignedBy, startReceiver } from '../../support/webhook-receiver.ts'

const MINIMAL = { url: 'https://hooks.example.com/lineage', events: ['user.created'] }
const UUID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/
const UNKNOWN = '11111111-2222-4333-8444-555555555555'

interface WebhookJson {
  readonly id: string
  readonly secret: string
  readonly updatedAt: string
}

async function create(app: TestApp, input: object = {}): Promise<WebhookJson> {
  const answer = await app.admin('POST', '/admin/webhooks', { ...MINIMAL, ...input })
  if (answer.status !== 201) throw new Error(`no webhook: ${await answer.text()}`)
  return (await answer.json()) as WebhookJson
}

async function outcomeOf(answer: Response) {
  const { code, errors } = (await answer.json()) as {
    code: string
    errors?: { pointer: string }[]
  }
  return { status: answer.status, code, pointers: errors?.map(({ pointer }) => pointer).sort() }
}

/** A webhook whose receiver is on this machine, and the receiver. */
async function startWithReceiver(t: Test) {
  const app = await startApp(t)
  const receiver = await startReceiver(t)
  const webhook = await create(app, { url: receiver.url, allowPrivateNetwork: true })
  return { app, receiver, webhook, path: `/admin/webhooks/${webhook.id}` }
}

test('creation shows the secret this once and answers with every member', async (t) => {
  const app = await startApp(t)
  const answer = await app.admin('POST', '/admin/webhooks', MINIMAL)
  t.equal(answer.status, 201)
  const { secret, ...webhook } = (await answer.json()) as WebhookJson
  t.match(secret, /^whsec_[A-Za-z0-9+/]{43}=$/)
  t.equal(answer.headers.get('location'), `/admin/webhooks/${webhook.id}`)
  t.equal(answer.headers.get('cache-control'), 'no-store')
  const { id, createdAt, updatedAt, ...rest } = webhook as WebhookJson & { createdAt: string }
  t.match(id, UUID)
  t.equal(createdAt, updatedAt)
  t.strictSame(rest, {
    ...MINIMAL,
    description: '',
    status: 'active',
    allowPrivateNetwork: false,
  })
  t.strictSame(await (await app.admin('GET', `/admin/webhooks/${id}`)).json(), webhook)
  const list = await (await app.admin('GET', '/admin/webhooks')).json()
  t.strictSame(list, { items: [webhook], nextCursor: null })
})

test('what a webhook must not be is 422 with pointers, at creation and at a change', async (t) => {
  const app = await startApp(t)
  const { id } = await create(app)
  const open = { allowPrivateNetwork: true }
  const cases: [input: object, pointers: string[]][] = [
    [{ url: 'http://hooks.example.com' }, ['/url']],
    [{ url: 'https://127.0.0.1/' }, ['/url']],
    [{ url: 'https://[::1]/' }, ['/url']],
    [{ url: 'https://2130706433/' }, ['/url']],
    [{ url: 'https://user:secret@hooks.example.com' }, ['/url']],
    [{ ...open, url: 'ftp://hooks.example.com' }, ['/url']],
    [{ url: 'hooks' }, ['/url']],
    [{ url: 1, events: 'user.created' }, ['/events', '/url']],
    [{ events: [] }, ['/events']],
    [{ events: ['user.created', 'user.created'] }, ['/events']],
    [{ events: ['user.created', 'everything'] }, ['/events/1']],
    [{ status: 'paused' }, ['/status']],
    [{ description: 'x'.repeat(201) }, ['/description']],
    [{ description: 'a\0b' }, ['/description']],
    [{ description: 'a\ud800b' }, ['/description']],
    [{ url: 'https://hooks.example.com/a\0b' }, ['/url']],
    [{ url: 'https://hooks.example.com/a\tb' }, ['/url']],
    [{ url: 'https://hooks.example.com/\udc00' }, ['/url']],
    [{ allowPrivateNetwork: 'yes' }, ['/allowPrivateNetwork']],
    [{ secret: 'mine', id: UNKNOWN }, ['/id', '/secret']],
  ]
  for (const [input, pointers] of cases) {
    const expected = { status: 422, code: 'validation_failed', pointers }
    const created = await app.admin('POST', '/admin/webhooks', { ...MINIMAL, ...input })
    t.strictSame(await outcomeOf(created), expected, JSON.stringify(input))
    const patched = await app.admin('PATCH', `/admin/webhooks/${id}`, input)
    t.strictSame(await outcomeOf(patched), expected, JSON.stringify(input))
  }
  const missing = await app.admin('POST', '/admin/webhooks', {})
  t.match(await outcomeOf(missing), { status: 422, pointers: ['/events', '/url'] })
})

test('a change answers with the representation; a private URL keeps needing leave', async (t) => {
  const app = await startApp(t)
  const { secret, ...webhook } = await create(app)
  const path = `/admin/webhooks/${webhook.id}`
  const patch = { events: ['login.failed'], status: 'disabled', description: 'Ours' }
  const answer = await app.admin('PATCH', path, patch)
  t.equal(answer.status, 200)
  const patched = (await answer.json()) as WebhookJson
  t.strictSame(patched, { ...webhook, ...patch, updatedAt: patched.updatedAt })
  for (const same of [{}, patch, { description: 'Ours' }]) {
    t.strictSame(await (await app.admin('PATCH', path, same)).json(), patched, 'nothing new')
  }
  const open = { url: 'http://10.0.0.1/', allowPrivateNetwork: true }
  t.equal((await app.admin('PATCH', path, open)).status, 200)
  t.equal((await app.admin('PATCH', path, { description: '' })).status, 200)
  t.equal((await app.admin('PATCH', path, { allowPrivateNetwork: false })).status, 422)
})

test('an unknown or malformed id is 404, and its deletion 204', async (t) => {
  const app = await startApp(t)
  const { id } = await create(app)
  for (const other of [UNKNOWN, id.toUpperCase(), 'x', '0', 'a'.repeat(300)]) {
    const path = `/admin/webhooks/${other}`
    const statuses = [
      (await app.admin('GET', path)).status,
      (await app.admin('PATCH', path, { status: 'disabled' })).status,
      (await app.admin('POST', `${path}/secret`)).status,
      (await app.admin('POST', `${path}/test`)).status,
      (await app.admin('GET', `${path}/deliveries`)).status,
      (await app.admin('DELETE', path)).status,
    ]
    t.strictSame(statuses, [404, 404, 404, 404, 404, 204], other)
  }
  const path = `/admin/webhooks/${id}`
  t.strictSame(
    [(await app.admin('DELETE', path)).status, (await app.admin('DELETE', path)).status],
    [204, 204],
  )
  t.equal((await app.admin('GET', path)).status, 404)
  t.equal((await app.fetch('/admin/webhooks')).status, 401)
})

test('lists every webhook once, oldest first, page by page', async (t) => {
  const app = await startApp(t)
  const ids: string[] = []
  for (let count = 0; count < 5; count += 1) ids.push((await create(app)).id)
  const seen: string[] = []
  let cursor: string | null = ''
  while (cursor !== null) {
    const query: string = cursor === '' ? '' : `&cursor=${cursor}`
    const answer = await app.admin('GET', `/admin/webhooks?limit=2${query}`)
    const page = (await answer.json()) as { items: WebhookJson[]; nextCursor: string | null }
    seen.push(...page.items.map(({ id }) => id))
    cursor = page.nextCursor
  }
  t.strictSame(seen, ids)
  for (const query of ['limit=0', 'cursor=x', `cursor=${Buffer.from('1 x').toString('base64url')}`])
    t.equal((await app.admin('GET', `/admin/webhooks?${query}`)).status, 400, query)
})

test('a test is sent like an event, and a disabled webhook has none', async (t) => {
  const { app, receiver, webhook, path } = await startWithReceiver(t)
  const answer = await app.admin('POST', `${path}/test`)
  t.equal(answer.status, 202)
  const delivery = (await answer.json()) as { id: string }
  t.match(delivery, { type: 'webhook.test', eventId: null, status: 'pending', attempts: 0 })
  const [message] = await receiver.wait(1)
  if (!message) throw new Error('no message')
  t.ok(isSignedBy(webhook.secret, message))
  t.equal(message.headers['webhook-id'], delivery.id)
  t.match(message.json, { type: 'webhook.test', data: { webhookId: webhook.id } })
  await app.admin('PATCH', path, { status: 'disabled' })
  const refused = await app.admin('POST', `${path}/test`)
  t.match(await outcomeOf(refused), { status: 409, code: 'conflict' })
})

test('deliveries are listed newest first, by their status too', async (t) => {
  const { app, path } = await startWithReceiver(t)
  const ids: string[] = []
  for (let count = 0; count < 3; count += 1) {
    const answer = await app.admin('POST', `${path}/test`)
    ids.push(((await answer.json()) as { id: string }).id)
  }
  const read = async (query: string) => {
    const answer = await app.admin('GET', `${path}/deliveries?${query}`)
    return (await answer.json()) as { items: { id: string }[]; nextCursor: string | null }
  }
  await until('all of them', async () => (await read('status=delivered')).items.length === 3)
  const first = await read('limit=2')
  const second = await read(`limit=2&cursor=${first.nextCursor}`)
  const listed = [...first.items, ...second.items].map(({ id }) => id)
  t.strictSame(listed, ids.toReversed())
  t.equal(second.nextCursor, null)
  t.strictSame(await read('status=failed'), { items: [], nextCursor: null })
  for (const query of ['status=lost', 'status=failed&status=failed', 'cursor=x']) {
    t.equal((await app.admin('GET', `${path}/deliveries?${query}`)).status, 400, query)
  }
})

test('a new secret signs beside the old one, so that nothing is refused meanwhile', async (t) => {
  const { app, receiver, webhook, path } = await startWithReceiver(t)
  const answer = await app.admin('POST', `${path}/secret`)
  t.equal(answer.status, 201)
  const rotated = (await answer.json()) as { secret: string; previousSignsUntil: string }
  t.not(rotated.secret, webhook.secret)
  const hours = (Date.parse(rotated.previousSignsUntil) - Date.now()) / 3_600_000
  t.ok(hours > 23 && hours < 25)
  await app.admin('POST', `${path}/test`)
  const [message] = await receiver.wait(1)
  if (!message) throw new Error('no message')
  t.ok(isSignedBy(webhook.secret, message))
  t.ok(isSignedBy(rotated.secret, message))
  t.notOk(isSignedBy(`whsec_${createHmac('sha256', 'x').digest('base64')}`, message))
})

test('secrets are sealed under the first root secret, from the next start on', async (t) => {
  const { url: databaseUrl } = await openTestDatabase(t)
  const newSecret = rootSecretOf(9)
  const open = (...secrets: Buffer[]) =>
    openService({
      config: { ...testConfig(databaseUrl), rootSecrets: openRootSecrets(secrets) },
      logger: createLogger('silent'),
    })
  const receiver = await startReceiver(t)
  const first = await open(ROOT_SECRET)
  const { webhook, secret } = await first.webhooks.create({
    url: receiver.url,
    events: ['user.updated'],
    description: '',
    status: 'active',
    allowPrivateNetwork: true,
  })
  await first.close()
  await (await open(newSecret, ROOT_SECRET)).close()
  const last = await open(newSecret)
  t.teardown(() => last.close())
  last.recordEvent({ type: 'user.updated', subject: webhook.id })
  const [message] = await receiver.wait(1)
  t.ok(message && isSignedBy(secret, message))
})

test('every change of a webhook is an event with who did it, and what changes nothing is none', async (t) => {
  const app = await startApp(t)
  const { id, secret } = await create(app)
  const path = `/admin/webhooks/${id}`
  await app.admin('PATCH', path, {})
  await app.admin('PATCH', path, { events: MINIMAL.events })
  await app.admin('PATCH', path, { description: 'for the books' })
  await app.admin('POST', `${path}/secret`)
  await app.admin('DELETE', path)
  await app.admin('DELETE', path)
  await app.admin('PATCH', path, { description: 'gone' })
  await app.admin('POST', `${path}/secret`)
  // Events are written in order, so this one comes last.
  await app.makeUser()
  await waitForEvent(app, 'user.created')
  const types = 'webhook.created,webhook.updated,webhook.secret_rotated,webhook.deleted'
  const events = (await readEvents(app, `&type=${types}`)).toReversed()
  const by = { webhookId: id, by: 'bootstrap-admin' }
  t.strictSame(
    events.map(({ type, detail }) => ({ type, detail })),
    [
      { type: 'webhook.created', detail: by },
      { type: 'webhook.updated', detail: { ...by, changed: ['description'] } },
      { type: 'webhook.secret_rotated', detail: by },
      { type: 'webhook.deleted', detail: by },
    ],
  )
  for (const event of events) t.match(event, { ip: '127.0.0.1', userAgent: /./ })
  const text = JSON.stringify(events)
  for (const shown of [secret, 'for the books', MINIMAL.url]) t.notOk(text.includes(shown))
})

test('the deletion of a webhook is told to the others, not to itself', async (t) => {
  const { app, receiver, webhook } = await startWithReceiver(t)
  const gone = await create(app, { events: ['webhook.deleted'] })
  await app.admin('PATCH', `/admin/webhooks/${webhook.id}`, { events: ['webhook.deleted'] })
  await app.admin('DELETE', `/admin/webhooks/${gone.id}`)
  const [message] = await receiver.wait(1)
  t.match(message?.json, {
    type: 'webhook.deleted',
    data: { detail: { webhookId: gone.id } },
  })
})
