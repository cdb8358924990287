// A Redis that has reached maxmemory: logins are refused first, and whoever is put out is out.

import { mkdir } from 'node:fs/promises'
import { join } from 'node:path'
import { type Test, test } from 'tap'
import { findInactiveReason } from '../../../src/families/family-rules.ts'
import {
  describe,
  ending,
  listAll,
  logIn,
  newLogin,
  newUser,
  nextEpoch,
  rotateOn,
  rotation,
  T0,
} from '../../contract/family-bench.ts'
import { openReadyStore, openTestJournal, rejectionOf } from '../../scenes/redis-fixture.ts'
import { logIn as logInOverHttp, startApp } from '../../support/app.ts'
import { type RedisProcess, startRedis, startRedisCluster } from '../../support/redis.ts'
import { until } from '../../support/until.ts'

/** From now on there is no room, whatever is in it already. */
async function fill(servers: readonly RedisProcess[]): Promise<void> {
  for (const server of servers) await server.cli('CONFIG', 'SET', 'maxmemory', '1')
}

const kinds: Record<string, (t: Test) => Promise<{ url: string; servers: RedisProcess[] }>> = {
  'one server': async (t) => {
    const server = await startRedis(t)
    return { url: server.url, servers: [server] }
  },
  'a Cluster': async (t) => {
    const { url, nodes } = await startRedisCluster(t)
    return { url, servers: [...nodes] }
  },
}
for (const [kind, open] of Object.entries(kinds)) {
  test(`${kind} that is full refuses logins and ends what it is told to end`, async (t) => {
    const { url, servers } = await open(t)
    const { journal } = await openTestJournal(t)
    const store = await openReadyStore(t, url, journal)
    const user = newUser()
    const owner = { userId: user.userId }
    const [going, ended, left] = [
      await logIn(store, user),
      await logIn(store, user),
      await logIn(store, user),
    ]
    const second = await rotateOn(store, going)
    await rotateOn(store, second)
    await fill(servers)

    // Also where the first thing that a login does would be allowed.
    for (const who of [user, nextEpoch(user), newUser()]) {
      const refused = await rejectionOf(store.create(newLogin(who)))
      t.match(refused, { name: 'DependencyUnavailable', dependency: 'redis', message: /OOM/ })
    }
    t.match((await store.inspect({ owner })).user, user, 'and leaves nothing behind')

    const next = await rotateOn(store, left)
    t.equal(next.generation, 1, 'who is in stays in')
    t.equal(await store.end(ending(ended)), 'ended')
    const stale = rotation(going, { graceMs: 0, nowMs: T0 + 10_000 })
    t.equal(describe(await store.rotate(stale)), 'replayed')
    const expiresAtMs = Date.now() + 60_000
    await store.revokeToken({ owner, jti: 'jti', expiresAtMs }, Date.now())
    t.equal((await store.inspect({ owner, jti: 'jti' })).tokenRevoked, true)
    const disabled = nextEpoch(user, 'user_disabled')
    await store.putUser(disabled)
    const { family, user: copy } = await store.inspect({ owner, familyId: left.familyId })
    if (!family || !copy) throw new Error('both are there')
    t.equal(findInactiveReason(family, copy, T0, 0), 'user_inactive')
    t.equal((await listAll(store, user.userId)).families.length, 3)

    // An instance that comes now brings the journal in, and serves.
    await journal.append({ kind: 'user', record: { ...disabled, version: 9, roles: ['late'] } })
    const late = await openReadyStore(t, url, journal)
    t.match((await late.inspect({ owner })).user, { version: 9, roles: ['late'] })
    await t.resolves(late.applyNewEntries(), 'and its progress is noted')
  })
}

test('over HTTP: 503 for a login, 200 for a revocation, and nobody gets past it', async (t) => {
  const server = await startRedis(t)
  const nodes = [{ host: '127.0.0.1', port: server.port }]
  const none = { username: undefined, password: undefined, sentinelName: undefined }
  const redis = { mode: 'single' as const, tls: false, nodes, db: 0, ...none }
  const app = await startApp(t, { config: { redis } })
  const client = await app.makeClient({})
  const [one, two] = [await app.makeUser(), await app.makeUser()]
  const revoked = await until('Redis to be ready', () =>
    logInOverHttp(app, client, one).catch(() => undefined),
  )
  const disabled = await logInOverHttp(app, client, two)
  const verify = async (token: string) =>
    (await app.fetch('/verify', { headers: { authorization: `Bearer ${token}` } })).status
  t.equal(await verify(revoked.access_token), 200)
  await fill([server])

  const login = { grant_type: 'password', client_id: client.id, username: one.username }
  const answer = await app.form('/token', { ...login, password: one.password })
  t.equal(answer.status, 503)
  t.ok(answer.headers.get('retry-after'))
  const form = { client_id: client.id, token: revoked.refresh_token }
  t.equal((await app.form('/revoke', form)).status, 200)
  t.equal(await verify(revoked.access_token), 401)
  const patch = await app.admin('PATCH', `/admin/users/${two.id}`, { status: 'disabled' })
  t.equal(patch.status, 200)
  t.equal(await verify(disabled.access_token), 401)

  const redisNow = async () =>
    (await (await app.fetch('/readyz')).json()) as { warnings?: string[] }
  const full = await until('readiness to say so', async () => {
    const body = await redisNow()
    return body.warnings && body
  })
  t.match(full, {
    status: 'ok',
    dependencies: { redis: 'ok' },
    warnings: [/^Redis is full \(OOM\)/],
  })
  await server.cli('CONFIG', 'SET', 'maxmemory', '0')
  await until('the warning to go', async () => !(await redisNow()).warnings)
})

test('what refuses writes is a warning, and goes with its cause', async (t) => {
  const server = await startRedis(t)
  const { journal } = await openTestJournal(t)
  const store = await openReadyStore(t, server.url, journal)
  const setReplicas = (count: string) => server.cli('CONFIG', 'SET', 'min-replicas-to-write', count)
  await setReplicas('1')
  await store.ping()
  t.match(store.warnings(), [/^Redis has too few replicas \(NOREPLICAS\)/])
  await setReplicas('0')
  await store.ping()
  t.strictSame(store.warnings(), [])

  // A server that should save then refuses to write.
  await server.cli('CONFIG', 'SET', 'appendonly', 'no')
  await server.cli('CONFIG', 'SET', 'save', '3600 1')
  await failSave(server)
  await t.rejects(store.ping(), { name: 'DependencyUnavailable', message: /MISCONF/ })
  t.match(store.warnings(), [/appendonly/, /^Redis cannot write to its disk \(MISCONF\)/])
})

/** In place of the file to write there is a directory, over which nothing is renamed. */
async function failSave(server: RedisProcess): Promise<void> {
  const [, dir] = (await server.cli('CONFIG', 'GET', 'dir')) as string[]
  const [, name] = (await server.cli('CONFIG', 'GET', 'dbfilename')) as string[]
  await mkdir(join(String(dir), String(name), 'taken'), { recursive: true })
  await server.cli('BGSAVE')
  await until('the save to fail', async () =>
    /rdb_last_bgsave_status:err/.test(String(await server.cli('INFO', 'persistence'))),
  )
}
