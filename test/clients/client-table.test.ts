import { type Test, test } from 'tap'
import { authenticateClient } from '../../src/clients/authenticate-client.ts'
import { bootstrapClient } from '../../src/clients/bootstrap-client.ts'
import type { Client, ClientId } from '../../src/clients/client.ts'
import { type ClientTable, openClientTable } from '../../src/clients/client-table.ts'
import { openReadyDatabase } from '../support/database.ts'
import { startPostgres } from '../support/postgres.ts'
import { clientWith, LIMITS, MINIMAL, NOW, openInstances, storeOn } from './client-fixtures.ts'

/** A table over a real store, that counts its loads and whose clock the test steps. */
async function openTable(t: Test, bootstrap?: Client) {
  const { store } = (await openInstances(t))()
  const time = { now: NOW }
  const counted = { loads: 0 }
  const loadAll = () => {
    counted.loads += 1
    return store.loadAll()
  }
  const table = openClientTable({ store: { loadAll }, bootstrap, clock: () => time.now })
  return { store, table, time, counted }
}

const idsOf = (table: ClientTable) => table.list().map((client) => String(client.id))

test('serves clients from memory, oldest first', async (t) => {
  const { store, table, counted } = await openTable(t)
  for (const id of ['aa', 'bb']) await store.create({ ...MINIMAL, id })
  t.equal(table.ready, false)
  t.strictSame(idsOf(table), [])
  await table.reload()
  t.equal(table.ready, true)
  t.strictSame(idsOf(table), ['aa', 'bb'])
  t.strictSame(await table.find('aa'), await store.find('aa'))
  await Promise.all(['aa', 'bb', 'aa'].map((id) => table.find(id)))
  t.equal(counted.loads, 1)
})

test('unknown ids ask PostgreSQL at most once a second, all of them together', async (t) => {
  const { store, table, time, counted } = await openTable(t)
  await table.reload()
  const burst = Array.from({ length: 50 }, (_, index) => table.find(`unknown-${index}`))
  t.ok((await Promise.all(burst)).every((client) => client === undefined))
  t.equal(counted.loads, 2, 'one load answered all of them')
  await store.create({ ...MINIMAL, id: 'web' })
  time.now += 999
  t.equal(await table.find('web'), undefined)
  t.equal(counted.loads, 2)
  time.now += 1
  t.match(await table.find('web'), { id: 'web' })
  t.equal(counted.loads, 3)
  time.now -= 3_600_000
  await table.find('unknown-0')
  t.equal(counted.loads, 4, 'a clock that was set back asks all the same')
})

test('an id that no client can have never asks', async (t) => {
  const { table, time, counted } = await openTable(t)
  await table.reload()
  const impossible = ['', 'X', '__proto__', 'a'.repeat(64), 'a\u0000b', 'é', 'c_short']
  for (const id of impossible) {
    time.now += 10_000
    t.equal(await table.find(id), undefined)
  }
  t.equal(counted.loads, 1)
})

test('a reload sees what was committed before it, also behind one under way', async (t) => {
  const { store, table, counted } = await openTable(t)
  await store.create({ ...MINIMAL, id: 'web' })
  await table.reload()
  const early = table.reload()
  await store.delete('web')
  await Promise.all([table.reload(), table.reload(), table.reload()])
  t.strictSame(idsOf(table), [])
  await early
  t.ok(counted.loads <= 4, 'reloads that wait share one load')
})

test('a load that began before a change does not overwrite a later one', async (t) => {
  const answers: ((clients: Client[]) => void)[] = []
  const store = { loadAll: () => new Promise<Client[]>((resolve) => answers.push(resolve)) }
  const table = openClientTable({ store, bootstrap: undefined, clock: () => NOW })
  const early = table.reload()
  const late = table.reload()
  t.equal(answers.length, 1, 'one load at a time')
  answers[0]?.([clientWith({ id: 'old' as ClientId })])
  await early
  await new Promise(setImmediate)
  answers[1]?.([clientWith({ id: 'new' as ClientId })])
  await late
  t.strictSame(idsOf(table), ['new'])
})

test('serves the last copy while PostgreSQL is down, and heals', async (t) => {
  const server = await startPostgres(t)
  const database = await openReadyDatabase(t, server.url)
  const store = storeOn(database)
  const time = { now: NOW }
  const options = { store, bootstrap: undefined, clock: () => time.now }
  const table = openClientTable(options)
  await store.create({ ...MINIMAL, id: 'web' })
  await table.reload()

  await server.stop()
  t.match(await table.find('web'), { id: 'web' })
  t.equal(await table.find('other'), undefined, 'an unknown id is unknown as far as we know')
  await t.rejects(table.reload(), { name: 'DependencyUnavailable', dependency: 'postgresql' })
  t.strictSame(idsOf(table), ['web'])
  const fresh = openClientTable(options)
  await t.rejects(fresh.find('web'), { name: 'DependencyUnavailable' }, 'never a false answer')
  const parts = { authorization: undefined, clientId: 'web', clientSecret: 'x' }
  await t.rejects(authenticateClient(parts, fresh), { name: 'DependencyUnavailable' })
  const changes: (() => Promise<unknown>)[] = [
    () => store.create(MINIMAL),
    () => store.patch('web', { name: 'x' }),
    () => store.delete('web'),
    () => store.addSecret('web'),
    () => store.removeSecret('web', 'x'),
    () => store.endSessions('web'),
    () => store.list(1),
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
  const table = openClientTable({ store, bootstrap: undefined, clock: () => NOW })
  await store.create({ ...MINIMAL, id: 'web' })
  await table.reload()
  server.pause()
  t.teardown(server.resume)
  const unknown = table.find('other')
  t.match(await table.find('web'), { id: 'web' })
  t.equal(await unknown, undefined)
  await t.rejects(store.patch('web', { name: 'x' }), { name: 'DependencyUnavailable' })
})

const BOOTSTRAP = bootstrapClient(
  { id: 'root-admin', secret: 'a-secret-of-at-least-32-characters' },
  'https://id.example',
  LIMITS,
)

test('the bootstrap client is found and authenticates, but is never listed', async (t) => {
  const { table } = await openTable(t, BOOTSTRAP)
  t.match(await table.find('root-admin'), {
    type: 'confidential',
    grantTypes: ['client_credentials'],
    scopes: ['lineage:admin'],
    defaultScopes: ['lineage:admin'],
    audiences: ['https://id.example'],
    authMethods: ['client_secret_basic', 'client_secret_post'],
  })
  const parts = { authorization: undefined, clientId: 'root-admin' }
  const right = { ...parts, clientSecret: 'a-secret-of-at-least-32-characters' }
  t.match(await authenticateClient(right, table), { client: { id: 'root-admin' } })
  const wrong = authenticateClient({ ...parts, clientSecret: 'wrong' }, table)
  await t.rejects(wrong, { name: 'OAuthError', reason: 'client_secret_wrong' })
  await table.reload()
  t.strictSame(table.list(), [])
})

test('the start fails when the id of the bootstrap client is in the table', async (t) => {
  const { store, table } = await openTable(t, BOOTSTRAP)
  await store.create({ ...MINIMAL, id: 'root-admin' })
  await t.rejects(table.reload(), { name: 'StartError', message: /LINEAGE_ADMIN_CLIENT_ID/ })
})

test('a stored client of that id appears later: the bootstrap client still stands', async (t) => {
  const { store, table } = await openTable(t, BOOTSTRAP)
  await table.reload()
  await store.create({ ...MINIMAL, id: 'root-admin' })
  await table.reload()
  t.equal(await table.find('root-admin'), BOOTSTRAP)
})
