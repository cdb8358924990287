// A Redis that has lost what it confirmed, under a running instance: its own mark tells, and all
// that it has not seen is re-applied, however old.

import { type Test, test } from 'tap'
import type { ClientId } from '../../../src/clients/client.ts'
import type { JournalPayload } from '../../../src/families/journal.ts'
import type { RedisFamilyStore } from '../../../src/families/redis/redis-family-store.ts'
import { logIn, newUser } from '../../contract/family-bench.ts'
import {
  firstAnswer,
  firstRotation,
  openReadyStore,
  openStore,
  openTestJournal,
} from '../../scenes/redis-fixture.ts'
import { startRedis, startRedisCluster } from '../../support/redis.ts'

const MINUTE_MS = 60_000

const revoked = (jti: string, clientId = 'service'): JournalPayload => ({
  kind: 'token',
  token: { owner: { clientId: clientId as ClientId }, jti, expiresAtMs: Date.now() + 1e9 },
})

const isRevoked = async (store: RedisFamilyStore, jti: string, clientId = 'service') => {
  const owner = { clientId: clientId as ClientId }
  return (await firstAnswer(() => store.inspect({ owner, jti }))).tokenRevoked
}

/** Without AOF, so that a crash takes the server back to its last SAVE. */
const startForgetful = (t: Test) => startRedis(t, { args: ['--appendonly', 'no'] })

test('a restart from an older volume: all since is in force, not the last minutes only', async (t) => {
  const server = await startForgetful(t)
  const { journal, appendAt, writeAt } = await openTestJournal(t)
  const store = await openReadyStore(t, server.url, journal)
  const [before, ended] = [await logIn(store), await logIn(store)]
  await appendAt(180 * MINUTE_MS, before)
  await store.applyNewEntries()
  await server.cli('SAVE')

  await appendAt(40 * MINUTE_MS, ended)
  await writeAt(0, revoked('just now'))
  // The instance has seen both, and so has the Redis of now.
  await store.applyNewEntries()
  t.equal(await firstRotation(store, ended), 'inactive family_ended')
  await server.kill()
  await server.start()
  t.equal(await firstRotation(store, ended), 'inactive family_ended')
  t.ok(await isRevoked(store, 'just now'))
})

test('emptied under a live connection: the next poll brings back what was revoked', async (t) => {
  const server = await startRedis(t)
  const { journal, writeAt } = await openTestJournal(t)
  const { store, replayFailures } = openStore(t, server.url, journal)
  await store.ready(10_000)
  await writeAt(40 * MINUTE_MS, revoked('long ago'))
  await writeAt(0, revoked('just now'))
  await store.applyNewEntries()

  await server.cli('FLUSHALL')
  t.notOk(await isRevoked(store, 'long ago'), 'before anybody could notice')
  await store.applyNewEntries()
  t.match(replayFailures, [/lost what it had confirmed/])
  t.ok(await isRevoked(store, 'long ago'))
  t.ok(await isRevoked(store, 'just now'))
})

test('of the journal only that is told as lacking which the server has lost', async (t) => {
  const server = await startRedis(t)
  const { journal, writeAt } = await openTestJournal(t)
  const { store, replayed } = openStore(t, server.url, journal)
  await store.ready(10_000)
  const lacked = () => replayed.reduce((sum, count) => sum + count, 0)
  await writeAt(0, revoked('one'))
  await writeAt(0, revoked('another'))
  await store.applyNewEntries()
  await server.cli('CLIENT', 'KILL', 'TYPE', 'normal')
  t.ok(await isRevoked(store, 'one'), 'over a new connection, behind its gate')
  t.equal(lacked(), 0)

  const restarted = openStore(t, server.url, journal)
  await restarted.store.ready(10_000)
  t.strictSame(restarted.replayed, [0], 'another start')

  await server.cli('FLUSHALL')
  await store.applyNewEntries()
  t.ok(await isRevoked(store, 'another'))
  t.equal(lacked(), 2)
})

test('emptied while it was away: everything is re-applied before the first answer', async (t) => {
  const server = await startForgetful(t)
  const { journal, writeAt } = await openTestJournal(t)
  const store = await openReadyStore(t, server.url, journal)
  await writeAt(600 * MINUTE_MS, revoked('long ago'))
  await writeAt(0, revoked('just now'))
  await store.applyNewEntries()
  await server.kill()
  await server.start()
  t.ok(await isRevoked(store, 'long ago'))
  t.ok(await isRevoked(store, 'just now'))
})

test('a node of a Cluster is noticed by its own mark, and only it is told again', async (t) => {
  const cluster = await startRedisCluster(t)
  const { journal, writeAt } = await openTestJournal(t)
  const store = await openReadyStore(t, cluster.url, journal)
  const clients = Array.from({ length: 12 }, (_, i) => `service-${i}`)
  for (const client of clients) await writeAt(40 * MINUTE_MS, revoked('long ago', client))
  await writeAt(0, { kind: 'user', record: newUser() })
  await store.applyNewEntries()
  const states = () => Promise.all(clients.map((client) => isRevoked(store, 'long ago', client)))
  t.strictSame(new Set(await states()), new Set([true]))
  const marks = async () =>
    Promise.all(cluster.nodes.map(async (node) => (await node.cli('KEYS', '*applied')) as string[]))
  t.strictSame(
    (await marks()).map((keys) => keys.length),
    [1, 1, 1],
    'each has one mark, in a slot of its own',
  )
  for (const node of cluster.nodes) {
    await node.cli('FLUSHALL')
    t.ok(new Set(await states()).has(false), 'before anybody could notice')
    await store.applyNewEntries()
    t.strictSame(new Set(await states()), new Set([true]))
  }
})
