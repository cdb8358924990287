// The bench of the Redis adapter: a redis-server of its own with AOF, reached through a proxy.

import { readdirSync, readFileSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import type { Test } from 'tap'
import type { FamilyStore } from '../../src/families/family-store.ts'
import { openRedisFamilyStore } from '../../src/families/redis/redis-family-store.ts'
import { keysOf } from '../../src/families/redis/redis-keys.ts'
import { NO_JOURNAL } from '../support/journal.ts'
import { startRedis, startRedisCluster } from '../support/redis.ts'
import type { FamilyBench } from './family-bench.ts'
import { openTcpProxy } from './tcp-proxy.ts'

/** Only so that a failure is told. */
const READY_MS = 60_000
const READERS: Record<string, readonly string[]> = {
  string: ['GET'],
  hash: ['HGETALL'],
  zset: ['ZRANGE', '0', '-1', 'WITHSCORES'],
  set: ['SMEMBERS'],
  list: ['LRANGE', '0', '-1'],
}

export async function openRedisBench(t: Test): Promise<FamilyBench> {
  const server = await startRedis(t)
  const proxy = await openTcpProxy(t, { host: '127.0.0.1', port: server.port })
  const open = () => openReadyStore(t, 'single', [proxy.port])
  const keys = async (pattern: string) => (await server.cli('KEYS', pattern)) as string[]

  async function readKey(key: string): Promise<string> {
    const type = String(await server.cli('TYPE', key))
    const [command, ...rest] = READERS[type] ?? []
    if (!command) throw new Error(`no way to read a ${type}`)
    return `${key} ${JSON.stringify(await server.cli(command, key, ...rest))}`
  }
  return {
    store: await open(),
    another: open,
    async forgetUser(userId) {
      // Fails for a user whom it never had.
      await server.cli('LSET', keysOf({ userId }).user, '0', '').catch(() => {})
    },
    async dump() {
      const held = await Promise.all((await keys('*')).map(readKey))
      const [, dir] = (await server.cli('CONFIG', 'GET', 'dir')) as string[]
      return [...held, ...readFiles(dir ?? '')].join('\n')
    },
    async sizeOf({ userId }) {
      const own = await keys(`${keysOf({ userId }).user}*`)
      const sizes = own.map((key) => server.cli('MEMORY', 'USAGE', key, 'SAMPLES', '0'))
      return (await Promise.all(sizes)).reduce<number>((sum, size) => sum + Number(size), 0)
    },
    restart: () => server.restart(),
    cut: () => proxy.cut(),
    hang: () => proxy.hang(),
    heal: () => proxy.heal(),
    // Redis counts a token's time by its own clock.
    nowMs: Date.now,
    async reach(ms) {
      while (Date.now() < ms) await sleep(20)
    },
  }
}

/** A Cluster of three masters, for the cases that need no look behind the store. */
export async function openRedisClusterBench(t: Test): Promise<FamilyBench> {
  const { nodes } = await startRedisCluster(t)
  const open = () =>
    openReadyStore(
      t,
      'cluster',
      nodes.map((node) => node.port),
    )
  const missing = () => {
    throw new Error('not on a Cluster')
  }
  return {
    store: await open(),
    another: open,
    async forgetUser(userId) {
      // The nodes that do not hold the key answer MOVED.
      const key = keysOf({ userId }).user
      await Promise.allSettled(nodes.map((node) => node.cli('LSET', key, '0', '')))
    },
    async dump() {
      const held = await Promise.all(nodes.map((node) => node.cli('KEYS', '*')))
      return JSON.stringify(held)
    },
    sizeOf: missing,
    restart: missing,
    cut: missing,
    hang: missing,
    heal: missing,
    nowMs: Date.now,
    reach: missing,
  }
}

async function openReadyStore(
  t: Test,
  mode: 'single' | 'cluster',
  ports: readonly number[],
): Promise<FamilyStore> {
  const store = openRedisFamilyStore({
    target: {
      mode,
      tls: false,
      nodes: ports.map((port) => ({ host: '127.0.0.1', port })),
      username: undefined,
      password: undefined,
      db: 0,
      sentinelName: undefined,
    },
    // What the journal brings back is test/families/redis-*.test.ts's to prove.
    journal: NO_JOURNAL,
    clock: Date.now,
    onConnectionError() {},
    onReplayFailure() {},
  })
  t.teardown(() => store.close())
  await store.ready(READY_MS)
  return store
}

/** The append-only files too: what a script was called with must not stand there either. */
function readFiles(dir: string): string[] {
  return readdirSync(dir, { recursive: true, encoding: 'utf8' })
    .map((name) => join(dir, name))
    .filter((path) => statSync(path).isFile())
    .map((path) => readFileSync(path, 'latin1'))
}
