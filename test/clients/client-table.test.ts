// The table of clients while PostgreSQL is away, and the bootstrap client beside it.

import { type Test, test } from 'tap'
import { authenticateClient } from '../../src/client-auth/authenticate-client.ts'
import { bootstrapClient } from '../../src/clients/bootstrap-client.ts'
import { type ClientTable, openClientTable } from '../../src/clients/client-table.ts'
import { NO_THROTTLE } from '../../src/throttle/throttle.ts'
import {
  LIMITS,
  MINIMAL,
  NO_ASSERTIONS,
  NO_TRUST,
  NOW,
  openInstances,
  requestWith,
  sourceOn,
  storeOn,
} from '../scenes/client-fixtures.ts'
import { openReadyDatabase } from '../support/database.ts'
import { startPostgres } from '../support/postgres.ts'

const countOf = (table: ClientTable) => table.overview().count

function authenticate(parts: Parameters<typeof requestWith>[0], clients: ClientTable) {
  const services = {
    ...{ clients, throttle: NO_THROTTLE, assertions: NO_ASSERTIONS, trust: NO_TRUST },
    clock: () => NOW,
  }
  return authenticateClient(requestWith(parts), services, () => ({ ip: '192.0.2.1' }))
}

test('serves the last copy while PostgreSQL is down, and heals', async (t) => {
  const server = await startPostgres(t)
  const database = await openReadyDatabase(t, server.url)
  const store = storeOn(database)
  const time = { now: NOW }
  const options = { source: sourceOn(database), bootstrap: undefined, clock: () => time.now }
  const table = openClientTable(options)
  await store.create({ ...MINIMAL, id: 'web' })
  await table.reload()

  await server.stop()
  t.match(await table.find('web'), { id: 'web' })
  t.equal(await table.find('other'), undefined, 'an unknown id is unknown as far as we know')
  await t.rejects(table.reload(), { name: 'DependencyUnavailable', dependency: 'postgresql' })
  t.equal(countOf(table), 1)
  const fresh = openClientTable(options)
  await t.rejects(fresh.find('web'), { name: 'DependencyUnavailable' }, 'never a false answer')
  const parts = { clientId: 'web', clientSecret: 'x' }
  const asking = authenticate(parts, fresh)
  await t.rejects(asking, { name: 'DependencyUnavailable' })
  const changes: (() => Promise<unknown>)[] = [
    () => store.create(MINIMAL),
    () => store.patch('web', { name: 'x' }),
    () => store.delete('web'),
    () => store.addSecret('web'),
    () => store.removeSecret('web', 'x'),
    () => store.endSessions('web'),
    () => store.list({ limit: 1, after: undefined }),
    () => store.find('web'),
  ]
  for (const change of changes) {
    await t.rejects(change(), { name: 'DependencyUnavailable' }, change.toString())
  }

  await server.start()
  await store.create({ ...MINIMAL, id: 'other' })
  time.now += 1000
  t.match(await table.find('other'), { id: 'other' })
  t.match(await fresh.find('web'), { id: 'web' })
})

test('an outage delays nobody who is known, and unknown ids no longer than the deadline', async (t) => {
  const server = await startPostgres(t)
  const database = await openReadyDatabase(t, server.url)
  const store = storeOn(database)
  const source = sourceOn(database)
  const table = openClientTable({ source, bootstrap: undefined, clock: () => NOW })
  await store.create({ ...MINIMAL, id: 'web' })
  await table.reload()
  server.pause()
  t.teardown(server.resume)
  const unknown = table.find('other')
  t.match(await table.find('web'), { id: 'web' })
  t.equal(await unknown, undefined)
  await t.rejects(store.patch('web', { name: 'x' }), { name: 'DependencyUnavailable' })
})

async function openTable(t: Test) {
  const { store, source } = (await openInstances(t))()
  const table = openClientTable({ source, bootstrap: BOOTSTRAP, clock: () => NOW })
  return { store, table }
}

const BOOTSTRAP = bootstrapClient(
  { id: 'root-admin', secret: 'a-secret-of-at-least-32-characters' },
  'https://id.example',
  LIMITS,
)

test('the bootstrap client is found and authenticates, but is never listed', async (t) => {
  const { table } = await openTable(t)
  t.match(await table.find('root-admin'), {
    type: 'confidential',
    grantTypes: ['client_credentials'],
    scopes: ['lineage:admin'],
    defaultScopes: ['lineage:admin'],
    audiences: ['https://id.example'],
    authMethods: ['client_secret_basic', 'client_secret_post'],
  })
  const prove = (clientSecret: string) =>
    authenticate({ clientId: 'root-admin', clientSecret }, table)
  const right = 'a-secret-of-at-least-32-characters'
  t.match(await prove(right), { id: 'root-admin' })
  const wrong = prove('wrong')
  await t.rejects(wrong, { name: 'OAuthError', reason: 'client_secret_wrong' })
  await table.reload()
  t.equal(countOf(table), 0)
})

test('the start fails when the id of the bootstrap client is in the table', async (t) => {
  const { store, table } = await openTable(t)
  await store.create({ ...MINIMAL, id: 'root-admin' })
  await t.rejects(table.reload(), { name: 'StartError', message: /LINEAGE_ADMIN_CLIENT_ID/ })
})

test('a stored client of that id appears later: the bootstrap client still stands', async (t) => {
  const { store, table } = await openTable(t)
  await table.reload()
  await store.create({ ...MINIMAL, id: 'root-admin' })
  await table.reload()
  t.equal(await table.find('root-admin'), BOOTSTRAP)
})
