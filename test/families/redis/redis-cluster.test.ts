// Redis Cluster: each node has a gate of its own, and neither a redirection nor a failover leads
// around it (docs/semantics.md §4).

import { test } from 'tap'
import type { Family } from '../../../src/families/family.ts'
import type { RedisFamilyStore } from '../../../src/families/redis/redis-family-store.ts'
import { keysOf } from '../../../src/families/redis/redis-keys.ts'
import {
  describe,
  ending,
  listAll,
  logIn,
  newUser,
  nextEpoch,
  rotateOn,
  rotation,
} from '../../contract/family-bench.ts'
import {
  firstAnswer,
  firstRotation,
  openReadyStore,
  openStore,
  openTestJournal,
  rejectionOf,
} from '../../scenes/redis-fixture.ts'
import { caughtUp, type RedisCluster, startRedisCluster } from '../../support/redis.ts'
import { promote, startReplica } from '../../support/redis-replicas.ts'

/** A family of some user on each node, in the order of the nodes. */
async function logInEverywhere(store: RedisFamilyStore, cluster: RedisCluster): Promise<Family[]> {
  const found: (Family | undefined)[] = cluster.nodes.map(() => undefined)
  while (found.includes(undefined)) {
    const user = newUser()
    const slot = Number(
      await cluster.nodes[0]?.cli('CLUSTER', 'KEYSLOT', keysOf({ userId: user.userId }).user),
    )
    const index = Math.floor(slot / Math.ceil(16_384 / cluster.nodes.length))
    found[index] ??= await logIn(store, user)
  }
  return found.filter((family) => family !== undefined)
}

function at<T>(items: readonly T[], index: number): T {
  const item = items[index]
  if (item === undefined) throw new Error('not there')
  return item
}

test('users of every node are served, each method in one slot', async (t) => {
  const cluster = await startRedisCluster(t)
  const store = await openReadyStore(t, cluster.url)
  for (const family of await logInEverywhere(store, cluster)) {
    const { userId, familyId } = family
    const next = await rotateOn(store, family)
    await store.revokeToken({ owner: { userId }, jti: 'x', expiresAtMs: 9e12 }, 1e12)
    t.strictSame(await store.inspect({ owner: { userId }, familyId, jti: 'x' }), {
      family: next,
      user: (await listAll(store, userId)).user,
      tokenRevoked: true,
    })
    t.equal(await store.end(ending(next)), 'ended')
  }
  t.strictSame(store.warnings(), [])
})

test('one node away: the others serve; when it is back its gate opens last', async (t) => {
  const cluster = await startRedisCluster(t, { args: ['--cluster-require-full-coverage', 'no'] })
  const { journal, wire } = await openTestJournal(t)
  const { store } = openStore(t, cluster.url, journal)
  await store.ready(10_000)
  const families = await logInEverywhere(store, cluster)
  const [away, first, second] = [at(families, 0), at(families, 1), at(families, 2)]
  const node = at(cluster.nodes, 0)

  await node.kill()
  await rejectionOf(store.rotate(rotation(away)))
  t.equal((await rotateOn(store, first)).generation, 1)
  await journal.append({ kind: 'family', end: ending(away) })
  await rejectionOf(store.applyNewEntries())
  await rejectionOf(store.ping())

  // Without the journal only the node that was away stays shut.
  await wire.cut()
  await node.start()
  t.equal(
    await firstAnswer(() => store.end(ending(away, { reason: 'session_limit', atMs: 9e12 }))),
    'already_ended',
  )
  await rejectionOf(store.rotate(rotation(away)))
  t.equal((await rotateOn(store, second)).generation, 1)
  await wire.heal()
  t.equal(await firstRotation(store, away), 'inactive family_ended')
  await firstAnswer(() => store.ping())
})

test('a paused node is given up in time and found again', async (t) => {
  const cluster = await startRedisCluster(t, { args: ['--cluster-require-full-coverage', 'no'] })
  const store = await openReadyStore(t, cluster.url)
  const families = await logInEverywhere(store, cluster)
  const [paused, other] = [at(families, 2), at(families, 0)]
  at(cluster.nodes, 2).pause()
  await rejectionOf(store.rotate(rotation(paused)))
  await rejectionOf(store.rotate(rotation(paused)))
  t.equal((await rotateOn(store, other)).generation, 1)
  at(cluster.nodes, 2).resume()
  t.match(await firstRotation(store, paused), /^(rotated|retried)$/)
})

test('the whole Cluster away and back', async (t) => {
  const cluster = await startRedisCluster(t)
  const { journal } = await openTestJournal(t)
  const store = await openReadyStore(t, cluster.url, journal)
  const families = await logInEverywhere(store, cluster)
  for (const node of cluster.nodes) await node.kill()
  for (const family of families) {
    await rejectionOf(store.rotate(rotation(family)))
    await journal.append({ kind: 'family', end: ending(family) })
  }
  for (const node of cluster.nodes) await node.start()
  const answers = families.map((family) => firstRotation(store, family))
  t.strictSame(
    await Promise.all(answers),
    families.map(() => 'inactive family_ended'),
  )
})

test('a slot that moves to another node takes its users along', async (t) => {
  const cluster = await startRedisCluster(t)
  const store = await openReadyStore(t, cluster.url)
  const family = at(await logInEverywhere(store, cluster), 0)
  const [from, to] = [at(cluster.nodes, 0), at(cluster.nodes, 1)]
  const slot = String(await from.cli('CLUSTER', 'KEYSLOT', keysOf({ userId: family.userId }).user))
  const [fromId, toId] = [
    String(await from.cli('CLUSTER', 'MYID')),
    String(await to.cli('CLUSTER', 'MYID')),
  ]
  await to.cli('CLUSTER', 'SETSLOT', slot, 'IMPORTING', fromId)
  await from.cli('CLUSTER', 'SETSLOT', slot, 'MIGRATING', toId)
  const keys = (await from.cli('CLUSTER', 'GETKEYSINSLOT', slot, '100')) as string[]
  await from.cli('MIGRATE', '127.0.0.1', String(to.port), '', '0', '5000', 'KEYS', ...keys)
  const second = await rotateOn(store, family)
  for (const node of [to, from]) await node.cli('CLUSTER', 'SETSLOT', slot, 'NODE', toId)
  const third = await rotateOn(store, second)
  t.equal(third.generation, 2)
  t.equal(describe(await store.rotate(rotation(family, { graceMs: 0 }))), 'replayed')
})

test('a promoted replica answers nothing before the journal was re-applied to it', async (t) => {
  const cluster = await startRedisCluster(t)
  const master = at(cluster.nodes, 0)
  const replica = await startReplica(t, cluster, master)
  const { journal, wire } = await openTestJournal(t)
  const { store, replayFailures } = openStore(t, cluster.url, journal)
  await store.ready(10_000)
  const family = at(await logInEverywhere(store, cluster), 0)
  const user = newUser({ userId: family.userId })
  await caughtUp(master, replica)

  await master.kill()
  // As if the master had confirmed this and died before its replica heard of it.
  const record = nextEpoch(user)
  await journal.append({ kind: 'user', record })
  t.equal(await firstRotation(store, family), 'inactive user_epoch_passed')

  // There and back by hand, while the connection to the replica lives on.
  await master.start()
  await promote(master)
  const login = await firstAnswer(() => logIn(store, record))
  await wire.cut()
  const failures = replayFailures.length
  await promote(replica)
  while (replayFailures.length < failures + 3) {
    await rejectionOf(store.rotate(rotation(login)))
    await new Promise((resolve) => setTimeout(resolve, 20))
  }
  await wire.heal()
  t.equal(await firstRotation(store, login), 'rotated')
})
