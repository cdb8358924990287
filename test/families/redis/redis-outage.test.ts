// A Redis that is dead, paused, emptied of scripts or refuses: in time, in safe words, and back by
// itself (docs/semantics.md §3, §12).

import { inspect } from 'node:util'
import { type Test, test } from 'tap'
import { parseRedisUrl } from '../../../src/config/redis-url.ts'
import type { Family } from '../../../src/families/family.ts'
import type { RedisFamilyStore } from '../../../src/families/redis/redis-family-store.ts'
import { keysOf } from '../../../src/families/redis/redis-keys.ts'
import { serverOptions } from '../../../src/redis/redis-connection.ts'
import { DEPENDENCY_DEADLINE_MS } from '../../../src/runtime/deadline.ts'
import {
  ending,
  keeping,
  logIn,
  newLogin,
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
  rejectionOf,
} from '../../scenes/redis-fixture.ts'
import { inOwnTime } from '../../support/own-time.ts'
import { caughtUp, startRedis } from '../../support/redis.ts'

/** The promise (docs/semantics.md §12). */
const REFUSAL_MS = 2_000
const RETURN_MS = 5_000

/** Every method that a request may call, with secrets and ids of `family` as arguments. */
function callAll(store: RedisFamilyStore, family: Family): Promise<unknown>[] {
  const { userId, familyId } = family
  const user = newUser({ userId })
  const owner = { userId }
  return [
    logIn(store, user),
    store.rotate(rotation(family)),
    store.end(ending(family, { secretHash: family.secretHash })),
    store.putUser(keeping(nextEpoch(user), family)),
    store.revokeToken({ owner, jti: 'jti-of-a-token', expiresAtMs: 2_000 }, 1_000),
    store.inspect({ owner, familyId, jti: 'jti-of-a-token' }),
    store.index(userId),
  ]
}

/** Neither the error nor anything that hangs on it tells a key, an id, a hash or a password. */
function assertSafe(t: Test, error: Error, family: Family): void {
  const text = inspect(error, { depth: 10, showHidden: true, getters: true }) + error.stack
  const { userId, familyId, secretHash, userAgent } = family
  for (const secret of [userId, familyId, secretHash, userAgent, 'jti-of', 'lineage:{', 's3cret']) {
    t.notOk(text.includes(secret), `${error.message}: tells no ${secret.slice(0, 8)}`)
  }
  t.strictSame(Object.keys(error).sort(), ['because', 'dependency', 'name'])
  t.equal(error.cause, undefined)
}

test('a paused server: every call is refused in time, and service comes back by itself', async (t) => {
  const server = await startRedis(t)
  const store = await openReadyStore(t, server.url)
  const family = await logIn(store)
  for (const pauseMs of [0, 3_000]) {
    server.pause()
    for (const round of ['at once', 'later']) {
      const calls = [...callAll(store, family), store.ping()].map(rejectionOf)
      const errors = await inOwnTime(`refusals, ${round}`, Promise.all(calls), REFUSAL_MS)
      for (const error of errors) assertSafe(t, error, family)
    }
    await new Promise((resolve) => setTimeout(resolve, pauseMs))
    server.resume()
    await firstAnswer(() => store.ping())
  }
})

test('what is waited for between two attempts to connect lets service be back within 5 s', async (t) => {
  const { retryStrategy, ...options } = serverOptions(parseRedisUrl('redis://127.0.0.1'))
  const { connectTimeout, socketTimeout, disconnectTimeout } = options
  // The server is back just after an attempt has begun that will end in nothing, or a command has been sent.
  const lostMs = Math.max(connectTimeout, socketTimeout) + disconnectTimeout
  for (const attempt of [1, 2, 10, 1_000, 1_000_000]) {
    t.ok(lostMs + retryStrategy(attempt) + connectTimeout < RETURN_MS, String(attempt))
  }
  t.ok(DEPENDENCY_DEADLINE_MS < REFUSAL_MS)
})

test('a dead server: refused at once, and service comes back by itself', async (t) => {
  const server = await startRedis(t)
  const { store, connectionErrors } = openStore(t, server.url)
  await store.ready(10_000)
  const family = await logIn(store)
  await server.kill()
  for (const error of await Promise.all(callAll(store, family).map(rejectionOf))) {
    assertSafe(t, error, family)
  }
  await new Promise((resolve) => setTimeout(resolve, 2_000))
  await server.start()
  t.equal(await firstRotation(store, family), 'rotated')
  t.ok(connectionErrors.includes('ECONNREFUSED'), 'told as a code')
})

test('never connected: refused, and ready() gives up', async (t) => {
  const server = await startRedis(t)
  await server.stop()
  const { store } = openStore(t, server.url)
  await rejectionOf(store.ready(200))
  await rejectionOf(store.ping())
  t.strictSame(store.warnings(), [])
  await server.start()
  await store.ready(10_000)
})

test('a server that lost its scripts is given them again', async (t) => {
  const server = await startRedis(t)
  const store = await openReadyStore(t, server.url)
  let family = await logIn(store)
  for (let i = 0; i < 3; i += 1) {
    await server.cli('SCRIPT', 'FLUSH')
    family = await rotateOn(store, family)
  }
  t.equal(family.generation, 3, 'and none ran twice')
})

test('every refusal of a server is told without arguments', async (t) => {
  const server = await startRedis(t)
  const store = await openReadyStore(t, server.url)
  const family = await logIn(store)
  const key = keysOf({ userId: family.userId }).family(family.familyId)
  const refusals: [string, string[], string[]][] = [
    ['OOM', ['CONFIG', 'SET', 'maxmemory', '1'], ['CONFIG', 'SET', 'maxmemory', '0']],
    ['NOPERM', ['ACL', 'SETUSER', 'default', '-evalsha'], ['ACL', 'SETUSER', 'default', '+@all']],
    ['ERR', ['SET', key, 's3cret'], ['DEL', key]],
    ['WRONGTYPE', ['RPUSH', key, 's3cret'], ['DEL', key]],
  ]
  for (const [code, begin, end] of refusals) {
    await server.cli(...begin)
    // A full server refuses logins alone.
    const call = code === 'OOM' ? store.create(newLogin(newUser())) : store.rotate(rotation(family))
    const error = await rejectionOf(call)
    t.equal(error.message, `redis is unavailable: ${code}`)
    assertSafe(t, error, family)
    await server.cli(...end)
  }
})

test('a wrong password is told as a code, and never passed on', async (t) => {
  const server = await startRedis(t)
  await server.cli('CONFIG', 'SET', 'requirepass', 's3cret-right')
  const url = server.url.replace('//', '//:s3cret-wrong@')
  const { store, connectionErrors } = openStore(t, url)
  const error = await rejectionOf(store.ready(500))
  t.notMatch(error.message, 's3cret')
  t.ok(connectionErrors.includes('WRONGPASS'))
  await openReadyStore(t, server.url.replace('//', '//default:s3cret-right@'))
})

test('a replica is refused until it is promoted', async (t) => {
  const master = await startRedis(t)
  await master.cli('CONFIG', 'SET', 'repl-diskless-sync-delay', '0')
  const family = await logIn(await openReadyStore(t, master.url))
  const replica = await startRedis(t, { args: ['--replicaof', '127.0.0.1', String(master.port)] })
  const { store } = openStore(t, replica.url)
  await rejectionOf(store.ready(500))
  await caughtUp(master, replica)
  await replica.cli('REPLICAOF', 'NO', 'ONE')
  t.equal(await firstRotation(store, family), 'rotated')
  // While it writes its first AOF a server does not stop when it is asked to.
  await replica.kill()
})

test('a master that becomes a replica is left for the next connection', async (t) => {
  const server = await startRedis(t)
  const store = await openReadyStore(t, server.url)
  const family = await logIn(store)
  await server.cli('REPLICAOF', '127.0.0.1', '1')
  t.equal((await rejectionOf(store.rotate(rotation(family)))).message.slice(-8), 'READONLY')
  await rejectionOf(store.ready(1_000))
  await server.cli('REPLICAOF', 'NO', 'ONE')
  t.equal(await firstRotation(store, family), 'rotated')
})
