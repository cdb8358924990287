// What the table of clients reads, counted in queries and rows: never more than has changed.

import { type Test, test } from 'tap'
import type { Client, ClientId } from '../../src/clients/client.ts'
import type { ClientSource } from '../../src/clients/client-source.ts'
import { type ClientTable, openClientTable } from '../../src/clients/client-table.ts'
import type { Database } from '../../src/database/database.ts'
import { clientWith, MINIMAL, NOW, openInstances } from '../scenes/client-fixtures.ts'

/** A table over a real source, that counts questions and what came back, and whose clock is stepped. */
async function openTable(t: Test) {
  const { store, database, source } = (await openInstances(t))()
  const time = { now: NOW }
  const counted = { questions: 0, clients: 0, changes: 0 }
  const count = <Asked extends unknown[], Answer>(
    ask: (...asked: Asked) => Promise<Answer>,
    add: (answer: Answer) => void = () => {},
  ) => {
    return async (...asked: Asked) => {
      const answer = await ask(...asked)
      counted.questions += 1
      add(answer)
      return answer
    }
  }
  const addClients = (clients: readonly Client[]) => {
    counted.clients += clients.length
  }
  const counting: ClientSource = {
    findMany: count(source.findMany, addClients),
    readAfter: count(source.readAfter, addClients),
    newestChange: count(source.newestChange),
    readChanges: count(source.readChanges, (changes) => {
      counted.changes += changes?.ids.length ?? 0
    }),
  }
  return {
    store,
    database,
    source,
    table: openClientTable({ source: counting, bootstrap: undefined, clock: () => time.now }),
    time,
    /** What `work` has read. */
    async countDuring(work: () => Promise<unknown>) {
      const before = { ...counted }
      await work()
      return {
        questions: counted.questions - before.questions,
        clients: counted.clients - before.clients,
        changes: counted.changes - before.changes,
      }
    },
  }
}

const NOTHING = { questions: 0, clients: 0, changes: 0 }
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
  const one = { questions: 1, clients: 0, changes: 0 }
  t.strictSame(await countDuring(() => table.find('web')), one)
  await store.create({ ...MINIMAL, id: 'web' })
  time.now += 999
  t.strictSame(await countDuring(async () => t.equal(await table.find('web'), undefined)), NOTHING)
  time.now += 1
  const found = await countDuring(async () => t.match(await table.find('web'), { id: 'web' }))
  t.strictSame(found, { questions: 2, clients: 2, changes: 0 }, 'and once more in turn, to be held')
  time.now += 60_000
  t.strictSame(await countDuring(() => table.find('web')), NOTHING, 'of the table by now')
  await table.find('nobody')
  time.now -= 3_600_000
  t.equal((await countDuring(() => table.find('nobody'))).questions, 1, 'a clock that was set back')
})

test('a flood of unknown ids is one query at a time, and misses are not kept for ever', async (t) => {
  const { store, table, countDuring } = await openTable(t)
  await table.reload()
  const flood = Array.from({ length: 5_000 }, (_, index) => `unknown-${index}`)
  const read = await countDuring(() => Promise.all(flood.map((id) => table.find(id))))
  t.strictSame(read, { questions: 1, clients: 0, changes: 0 })
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

/** `count` public clients, `c-1` and on, as one statement writes them. */
const insertMany = ({ pool }: Database, count: number) =>
  pool.query(
    `INSERT INTO clients (id, name, type, grant_types, auth_methods, sessions_valid_from)
     SELECT 'c-' || i, 'many', 'public', '{password}', '{none}', now()
     FROM generate_series(1, $1::int) AS i`,
    [count],
  )

test('of 2,000 clients a reload reads the one that changed, whoever changed it', async (t) => {
  const { store, table, database, countDuring } = await openTable(t)
  await insertMany(database, 2_000)
  await store.create({ ...MINIMAL, id: 'web' })
  const first = await countDuring(() => table.reload())
  t.match(first, { clients: 2_001, changes: 0 })
  t.ok(first.questions >= 9, 'in pages, each with a deadline of its own')
  const ask = { questions: 1, clients: 0, changes: 0 }
  t.strictSame(await countDuring(() => table.reload()), ask, 'nothing changed')

  const run = (sql: string) => () => database.pool.query(sql)
  const changes: [string, () => Promise<unknown>, number][] = [
    ['patched', () => store.patch('c-7', { name: 'other' }), 1],
    ['sessions ended', () => store.endSessions('c-8'), 1],
    ['a secret more', () => store.addSecret('web'), 1],
    ['deleted', () => store.delete('c-9'), 0],
    ['deleted with its secrets', () => store.delete('web'), 0],
    ['made', () => store.create({ ...MINIMAL, id: 'new' }), 1],
    ['written by hand', run(`UPDATE clients SET name = 'x' WHERE id = 'c-1'`), 1],
    ['a secret by hand', run(`UPDATE client_secrets SET hash = '' WHERE client_id = 'new'`), 1],
  ]
  for (const [what, change, clients] of changes) {
    await change()
    const read = await countDuring(() => table.reload())
    t.strictSame(read, { questions: 2, clients, changes: 1 }, what)
  }
  await database.pool.query(`UPDATE clients SET name = 'y' WHERE id = 'nobody'`)
  t.strictSame(await countDuring(() => table.reload()), ask, 'a statement that met nothing')
  t.match(await table.find('c-7'), { name: 'other' })
  t.match(await table.find('c-1'), { name: 'x' })
  t.strictSame(await table.find('c-8'), await store.find('c-8'))
  t.equal((await table.find('new'))?.secrets[0]?.hash.length, 0)
  t.equal(await table.find('c-9'), undefined)
  t.equal(await table.find('web'), undefined)
  t.equal(countOf(table), 2_000)
})

test('changes that commit out of their order are all seen', async (t) => {
  const { table, database, countDuring } = await openTable(t)
  await insertMany(database, 3)
  await table.reload()
  const rename = (id: string) => ({ where: { id }, data: { name: 'renamed' } })
  const prisma = await database.prisma()
  const slow = prisma.$transaction(async (tx) => {
    await tx.client.update(rename('c-1'))
    const waiting = prisma.client.update(rename('c-2')).then(() => 'committed')
    t.strictSame(await countDuring(() => table.reload()), { questions: 1, clients: 0, changes: 0 })
    return { waiting }
  })
  await (await slow).waiting
  t.match(
    await countDuring(() => table.reload()),
    { changes: 2 },
    'the second waited for the first',
  )
  t.match(await table.find('c-1'), { name: 'renamed' })
  t.match(await table.find('c-2'), { name: 'renamed' })
})

test('where the log does not tell, every client is read', async (t) => {
  const { table, database, source, countDuring } = await openTable(t)
  await insertMany(database, 10)
  await table.reload()
  const all = { clients: 10, changes: 0 }
  // As if 1,999 changes had been made, and then one more.
  await database.pool.query(
    `WITH last AS (UPDATE table_versions SET version = version + 1999 WHERE name = 'clients'
       RETURNING version)
     INSERT INTO client_changes SELECT version - i, 'c-1' FROM last, generate_series(0, 1998) AS i`,
  )
  await database.pool.query(`UPDATE clients SET name = name WHERE id = 'c-1'`)
  t.match(await countDuring(() => table.reload()), all, 'after more changes than it keeps')
  const { rows } = await database.pool.query('SELECT count(*)::int AS count FROM client_changes')
  t.strictSame(rows, [{ count: 2_000 }])
  t.match(await countDuring(() => table.reload()), { questions: 1, clients: 0 })

  // As after a failover to a server that had not heard of the last change.
  const lost = await source.newestChange()
  await database.pool.query('DELETE FROM client_changes WHERE version = $1', [lost])
  await database.pool.query(`DELETE FROM clients WHERE id = 'c-10'`)
  t.match(await countDuring(() => table.reload()), { clients: 9, changes: 0 }, 'a lost commit')
  t.equal(await table.find('c-10'), undefined)
  t.equal(countOf(table), 9)

  await database.pool.query(
    `INSERT INTO clients (id, name, type, grant_types, sessions_valid_from)
     SELECT 'd-' || i, 'many', 'public', '{}', now() FROM generate_series(1, 1001) AS i`,
  )
  const more = { clients: 1_010, changes: 0 }
  t.match(await countDuring(() => table.reload()), more, 'many by one statement')
  t.match(await countDuring(() => table.reload()), { questions: 1, clients: 0 })
  await database.pool.query('TRUNCATE client_changes')
  t.match(await countDuring(() => table.reload()), more, 'no log')
})

test('a refresh reads one client, whether it was made, changed or deleted', async (t) => {
  const { store, table, countDuring } = await openTable(t)
  for (const id of ['aa', 'bb']) await store.create({ ...MINIMAL, id })
  await table.reload()
  await store.patch('aa', { name: 'changed' })
  t.strictSame(await countDuring(() => table.refresh('aa')), {
    questions: 1,
    clients: 1,
    changes: 0,
  })
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
  t.ok(read.questions <= 4, 'reloads that wait share one load')
})

test('what was read before a change is never written after it', async (t) => {
  const answers: ((clients: Client[]) => void)[] = []
  const client = clientWith({ id: 'web' as ClientId })
  const read = () => new Promise<Client[]>((resolve) => answers.push(resolve))
  const source: ClientSource = {
    newestChange: async () => undefined,
    readChanges: async () => undefined,
    readAfter: read,
    findMany: read,
  }
  const table = openClientTable({ source, bootstrap: undefined, clock: () => NOW })
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
  const before = table.overview()
  const origin = 'https://app.example'
  const browser = { name: 'x', type: 'public', grantTypes: ['password'] } as const
  await store.create({ ...MINIMAL, id: 'aa', allowedOrigins: [origin] })
  await store.create({ ...browser, id: 'bb', allowedOrigins: [origin, 'https://other.example'] })
  await table.reload()
  t.equal(table.overview(), table.overview(), 'computed once')
  t.not(table.overview(), before, 'another one after a change')
  const listing = (grant: string) => table.overview().grantCounts.get(grant)
  t.equal(table.overview().count, 2)
  t.equal(table.overview().certificateCount, 0)
  t.strictSame(['password', 'client_credentials'].map(listing), [1, 1])
  t.strictSame(
    [...table.overview().origins],
    [
      [origin, { hasCookies: false }],
      ['https://other.example', { hasCookies: false }],
    ],
  )
  await store.patch('bb', {
    tokenDelivery: 'cookie',
    allowedOrigins: [origin],
    tlsClientCertificateBoundAccessTokens: true,
  })
  await table.refresh('bb')
  t.strictSame([...table.overview().origins], [[origin, { hasCookies: true }]])
  t.equal(table.overview().certificateCount, 1)
  await store.delete('bb')
  await table.reload()
  t.equal(table.overview().count, 1)
  t.equal(table.overview().certificateCount, 0)
  t.strictSame(['password', 'client_credentials'].map(listing), [undefined, 1])
  t.strictSame([...table.overview().origins], [[origin, { hasCookies: false }]])
})
