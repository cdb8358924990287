// What the table of clients reads, counted in queries and rows: never more than has changed.

import { type Test, test } from 'tap'
import type { Client, ClientId } from '../../src/clients/client.ts'
import type { ClientReader } from '../../src/clients/client-reader.ts'
import { type ClientTable, openClientTable } from '../../src/clients/client-table.ts'
import { clientWith, MINIMAL, NOW, openInstances } from '../scenes/client-fixtures.ts'

/** A table over a real store, that counts queries and rows, and whose clock the test steps. */
async function openTable(t: Test) {
  const { store, database } = (await openInstances(t))()
  const time = { now: NOW }
  const counted = { queries: 0, clients: 0, marks: 0 }
  const counting: Pick<ClientReader, 'findMany' | 'loadMarks'> = {
    async findMany(ids) {
      const clients = await store.findMany(ids)
      counted.queries += 1
      counted.clients += clients.length
      return clients
    },
    async loadMarks(limit, afterId) {
      const marks = await store.loadMarks(limit, afterId)
      counted.queries += 1
      counted.marks += marks.length
      return marks
    },
  }
  const table = openClientTable({ store: counting, bootstrap: undefined, clock: () => time.now })
  return {
    store,
    database,
    table,
    time,
    /** What `work` has read. */
    async countDuring(work: () => Promise<unknown>) {
      const { queries, clients, marks } = { ...counted }
      await work()
      return {
        queries: counted.queries - queries,
        clients: counted.clients - clients,
        marks: counted.marks - marks,
      }
    },
  }
}

const NOTHING = { queries: 0, clients: 0, marks: 0 }
const countOf = (table: ClientTable) => table.overview().count

test('serves clients from memory', async (t) => {
  const { store, table, countDuring } = await openTable(t)
  for (const id of ['aa', 'bb']) await store.create({ ...MINIMAL, id })
  t.equal(table.ready, false)
  t.equal(countOf(table), 0)
  await table.reload()
  t.equal(table.ready, true)
  t.equal(countOf(table), 2)
  t.strictSame(await table.find('aa'), await store.find('aa'))
  const read = await countDuring(() => Promise.all(['aa', 'bb', 'aa'].map((id) => table.find(id))))
  t.strictSame(read, NOTHING)
})

test('an unknown id looks one row up, once a second, whatever the size of the table', async (t) => {
  const { store, table, time, countDuring } = await openTable(t)
  for (const id of ['aa', 'bb', 'cc']) await store.create({ ...MINIMAL, id })
  await table.reload()
  const one = { queries: 1, clients: 0, marks: 0 }
  t.strictSame(await countDuring(() => table.find('web')), one)
  await store.create({ ...MINIMAL, id: 'web' })
  time.now += 999
  t.strictSame(await countDuring(async () => t.equal(await table.find('web'), undefined)), NOTHING)
  time.now += 1
  const found = await countDuring(async () => t.match(await table.find('web'), { id: 'web' }))
  t.strictSame(found, { queries: 2, clients: 2, marks: 0 }, 'and once more in turn, to be held')
  time.now += 60_000
  t.strictSame(await countDuring(() => table.find('web')), NOTHING, 'of the table by now')
  await table.find('nobody')
  time.now -= 3_600_000
  t.equal((await countDuring(() => table.find('nobody'))).queries, 1, 'a clock that was set back')
})

test('a flood of unknown ids is one query at a time, and misses are not kept for ever', async (t) => {
  const { store, table, countDuring } = await openTable(t)
  await table.reload()
  const flood = Array.from({ length: 5_000 }, (_, index) => `unknown-${index}`)
  const read = await countDuring(() => Promise.all(flood.map((id) => table.find(id))))
  t.strictSame(read, { queries: 1, clients: 0, marks: 0 })
  await store.create({ ...MINIMAL, id: 'unknown-0' })
  t.equal(await table.find('unknown-0'), undefined)
  await table.reload()
  t.match(await table.find('unknown-0'), { id: 'unknown-0' }, 'a reload knows better than a miss')
})

test('an id that no client can have never asks', async (t) => {
  const { table, time, countDuring } = await openTable(t)
  await table.reload()
  const impossible = ['', 'X', '__proto__', 'a'.repeat(64), 'a\u0000b', 'é', 'c_short']
  for (const id of impossible) {
    time.now += 10_000
    const read = await countDuring(async () => {
      t.equal(await table.find(id), undefined)
      await table.refresh(id)
    })
    t.strictSame(read, NOTHING)
  }
})

test('a reload reads what has changed, secrets and deletions too, and no other client', async (t) => {
  const { store, table, database, countDuring } = await openTable(t)
  await database.pool.query(
    `INSERT INTO clients (id, name, type, grant_types, auth_methods, sessions_valid_from)
     SELECT 'c-' || i, 'many', 'public', '{password}', '{none}', now()
     FROM generate_series(1, 1200) AS i`,
  )
  await store.create({ ...MINIMAL, id: 'web' })
  const first = await countDuring(() => table.reload())
  t.match(first, { clients: 1201, marks: 1201 })
  t.ok(first.queries >= 10, 'in pages, each with a deadline of its own')
  t.match(await countDuring(() => table.reload()), { clients: 0, marks: 1201 })

  const changes: [string, () => Promise<unknown>, number][] = [
    ['patched', () => store.patch('c-7', { name: 'other' }), 1],
    ['sessions ended', () => store.endSessions('c-8'), 1],
    ['a secret more', () => store.addSecret('web'), 1],
    ['deleted', () => store.delete('c-9'), 0],
    ['made', () => store.create({ ...MINIMAL, id: 'new' }), 1],
    [
      'written by hand',
      () => database.pool.query(`UPDATE clients SET name = 'x' WHERE id = 'c-1'`),
      1,
    ],
  ]
  for (const [what, change, clients] of changes) {
    await change()
    t.equal((await countDuring(() => table.reload())).clients, clients, what)
  }
  t.match(await table.find('c-7'), { name: 'other' })
  t.match(await table.find('c-1'), { name: 'x' })
  t.strictSame(await table.find('c-8'), await store.find('c-8'))
  t.equal((await table.find('web'))?.secrets.length, 2)
  t.equal(await table.find('c-9'), undefined)
  t.match(await table.find('new'), { id: 'new' })
  t.equal(countOf(table), 1201)
})

test('a refresh reads one client, whether it was made, changed or deleted', async (t) => {
  const { store, table, countDuring } = await openTable(t)
  for (const id of ['aa', 'bb']) await store.create({ ...MINIMAL, id })
  await table.reload()
  await store.patch('aa', { name: 'changed' })
  t.strictSame(await countDuring(() => table.refresh('aa')), { queries: 1, clients: 1, marks: 0 })
  t.match(await table.find('aa'), { name: 'changed' })
  t.equal(await table.find('cc'), undefined)
  await store.create({ ...MINIMAL, id: 'cc' })
  await table.refresh('cc')
  t.match(await table.find('cc'), { id: 'cc' }, 'a miss that was remembered does not hide it')
  await store.delete('cc')
  await table.refresh('cc')
  t.equal(await table.find('cc'), undefined)
  t.equal(countOf(table), 2)
})

test('a reload sees what was committed before it, also behind one under way', async (t) => {
  const { store, table, countDuring } = await openTable(t)
  await store.create({ ...MINIMAL, id: 'web' })
  await table.reload()
  const read = await countDuring(async () => {
    const early = table.reload()
    await store.delete('web')
    await Promise.all([table.reload(), table.reload(), table.reload()])
    t.equal(countOf(table), 0)
    await early
  })
  t.ok(read.queries <= 4, 'reloads that wait share one load')
})

test('what was read before a change is never written after it', async (t) => {
  const answers: ((clients: Client[]) => void)[] = []
  const client = clientWith({ id: 'web' as ClientId })
  const store = {
    loadMarks: async () => [{ id: 'web', mark: '1' }],
    findMany: () => new Promise<Client[]>((resolve) => answers.push(resolve)),
  }
  const table = openClientTable({ store, bootstrap: undefined, clock: () => NOW })
  const load = table.reload()
  const refresh = table.refresh('web')
  await new Promise(setImmediate)
  t.equal(answers.length, 1, 'one at a time')
  answers[0]?.([client])
  await load
  await new Promise(setImmediate)
  answers[1]?.([{ ...client, name: 'newer' }])
  await refresh
  t.match(await table.find('web'), { name: 'newer' })
})

test('what all clients say together follows every change', async (t) => {
  const { store, table } = await openTable(t)
  const origin = 'https://app.example'
  const browser = { name: 'x', type: 'public', grantTypes: ['password'] } as const
  await store.create({ ...MINIMAL, id: 'aa', allowedOrigins: [origin] })
  await store.create({ ...browser, id: 'bb', allowedOrigins: [origin, 'https://other.example'] })
  await table.reload()
  t.equal(table.overview(), table.overview(), 'computed once')
  const listing = (grant: string) => table.overview().grantCounts.get(grant)
  t.equal(table.overview().count, 2)
  t.strictSame(['password', 'client_credentials'].map(listing), [1, 1])
  t.strictSame(
    [...table.overview().origins],
    [
      [origin, { hasCookies: false }],
      ['https://other.example', { hasCookies: false }],
    ],
  )
  await store.patch('bb', { tokenDelivery: 'cookie', allowedOrigins: [origin] })
  await table.refresh('bb')
  t.strictSame([...table.overview().origins], [[origin, { hasCookies: true }]])
  await store.delete('bb')
  await table.reload()
  t.equal(table.overview().count, 1)
  t.strictSame(['password', 'client_credentials'].map(listing), [undefined, 1])
  t.strictSame([...table.overview().origins], [[origin, { hasCookies: false }]])
})
