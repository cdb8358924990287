// Commands that arrive after their sender has given up: a Redis that was frozen, a link that
// delivers late. Whoever repeated one meanwhile must not be met by his own first attempt.

import { readFileSync } from 'node:fs'
import { type Test, test } from 'tap'
import { FAMILY_SCRIPTS } from '../../../src/families/redis/redis-commands.ts'
import {
  ABSOLUTE_MS,
  describe,
  ending,
  GRACE_MS,
  keeping,
  listAll,
  logIn,
  newLogin,
  newUser,
  nextEpoch,
  read,
  rotation,
  T0,
} from '../../contract/family-bench.ts'
import { openTcpProxy } from '../../contract/tcp-proxy.ts'
import { firstAnswer, openReadyStore, rejectionOf } from '../../scenes/redis-fixture.ts'
import { type RedisProcess, startRedis, startRedisCluster } from '../../support/redis.ts'
import { until } from '../../support/until.ts'

/** Resolves when the servers have refused so many commands because nobody waits for them. */
async function untilLate(servers: readonly RedisProcess[], count: number): Promise<void> {
  await until(`${count} late commands`, async () => {
    const infos = await Promise.all(servers.map((server) => server.cli('INFO', 'errorstats')))
    const counts = infos.map((info) => /^errorstat_LATE:count=(\d+)/m.exec(String(info))?.[1])
    return counts.reduce((sum, late) => sum + Number(late ?? 0), 0) === count
  })
}

function readShared(): string {
  const file = new URL('../../../src/families/redis/lua/family.lua', import.meta.url)
  return readFileSync(file, 'utf8')
}

async function scriptsCalled(server: RedisProcess): Promise<number> {
  const info = String(await server.cli('INFO', 'commandstats'))
  return Number(/^cmdstat_evalsha:calls=(\d+)/m.exec(info)?.[1] ?? 0)
}

/** Two instances, the first of which reaches the server over a wire that can stall. */
async function openPair(t: Test) {
  const server = await startRedis(t)
  const wire = await openTcpProxy(t, { host: '127.0.0.1', port: server.port })
  const first = await openReadyStore(t, server.url.replace(/\d+$/, String(wire.port)))
  return { server, wire, first, second: await openReadyStore(t, server.url) }
}

test('servers frozen for longer than the grace: who repeated meanwhile is served', async (t) => {
  const cluster = await startRedisCluster(t, { args: ['--cluster-node-timeout', '60000'] })
  const alone = await startRedis(t)
  for (const { url, nodes } of [{ url: alone.url, nodes: [alone] }, cluster]) {
    const store = await openReadyStore(t, url)
    const families = await Promise.all(Array.from({ length: 20 }, () => logIn(store)))
    for (const node of nodes) node.pause()
    await Promise.all(families.map((family) => rejectionOf(store.rotate(rotation(family)))))
    for (const node of nodes) node.resume()
    await untilLate(nodes, families.length)
    // As long after the first attempt as an outage may last.
    const nowMs = T0 + 10 * GRACE_MS
    for (const family of families) {
      const repeat = () => store.rotate(rotation(family, { nowMs }))
      t.equal(describe(await firstAnswer(repeat)), 'rotated')
      t.match(await read(store, family), { generation: 1, rotatedAtMs: nowMs, ended: undefined })
    }
  }
})

test('a link that delivers late: what came of the repetition stays', async (t) => {
  const { server, wire, first, second } = await openPair(t)
  const family = await logIn(first)
  // Without a grace the late duplicate is a theft.
  const presented = rotation(family, { graceMs: 0 })
  wire.stall()
  await rejectionOf(first.rotate(presented))
  t.equal(describe(await second.rotate(presented)), 'rotated')
  wire.deliver()
  await untilLate([server], 1)
  t.match(await read(second, family), { generation: 1, ended: undefined })
  const next = { ...presented, generation: 1 }
  t.equal(describe(await firstAnswer(() => first.rotate(next))), 'rotated')
})

test('no script that changes something acts late', async (t) => {
  const { server, wire, first, second } = await openPair(t)
  const user = newUser()
  const owner = { userId: user.userId }
  const family = await logIn(second, user)
  const before = await listAll(second, user.userId)
  const called = await scriptsCalled(server)
  const calls = [
    () => first.create(newLogin(user)),
    () => first.rotate(rotation(family)),
    () => first.end(ending(family)),
    () => first.putUser(nextEpoch(user)),
    () => first.putUser(keeping(nextEpoch(user), family)),
    () => first.revokeToken({ owner, jti: 'x', expiresAtMs: T0 + ABSOLUTE_MS }, T0),
  ]
  wire.stall()
  await Promise.all(calls.map((call) => rejectionOf(call())))
  wire.deliver()
  await untilLate([server], calls.length)
  t.equal(await scriptsCalled(server), called + calls.length, 'all of them arrived')
  t.strictSame(await listAll(second, user.userId), before)
  t.equal((await second.inspect({ owner, jti: 'x' })).tokenRevoked, false)
})

test('a script that does not know its time only reads', async (t) => {
  const server = await startRedis(t)
  const shared = readShared()
  const writing: string[] = []
  // In their order: a function calls only those above it.
  for (const [text, name = ''] of shared.matchAll(/^local function (\w+)[\s\S]*?^end/gm)) {
    const calls = writing.some((other) => text.includes(` ${other}(`))
    if (calls || /redis\.call\('(SET|LSET|RPUSH|ZADD|PEXPIRE)/.test(text)) writing.push(name)
  }
  t.ok(['put_user', 'extend', 'end_family'].every((name) => writing.includes(name)))
  for (const { lua, changes } of FAMILY_SCRIPTS) {
    const own = lua.replace(shared, '')
    const names = [...own.matchAll(/redis\.call\('(\w+)'/g)].map(([, name]) => name ?? '')
    const infos = (await server.cli('COMMAND', 'INFO', ...names)) as [string, number, string[]][]
    const writes = infos.some(([, , flags]) => flags.includes('write'))
    const calls = writing.some((name) => own.includes(`${name}(`))
    t.equal(changes, writes || calls, own.slice(0, 60))
  }
})
