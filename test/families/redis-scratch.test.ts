import type { Test } from 'tap'
import { runFamilyStoreContract } from '../contract/family-store.ts'
import { runFamilyProperties } from '../contract/family-properties.ts'
import { type FamilyBench } from '../contract/family-bench.ts'
import { openTcpProxy } from '../contract/tcp-proxy.ts'
import { startRedis } from '../support/redis.ts'
import { openRedisFamilyStore } from '../../src/families/redis-family-store.ts'
import { keysOf } from '../../src/families/redis-record.ts'
import { Redis } from 'ioredis'

async function open(t: Test): Promise<FamilyBench> {
  const server = await startRedis(t)
  const proxy = await openTcpProxy(t, { host: '127.0.0.1', port: server.port })
  const direct = new Redis(server.port, { maxRetriesPerRequest: null })
  direct.on('error', () => {})
  t.teardown(() => direct.disconnect())
  const openStore = async () => {
    const store = openRedisFamilyStore({
      target: { mode: 'single', tls: false, nodes: [{ host: '127.0.0.1', port: proxy.port }], username: undefined, password: undefined, db: 0, sentinelName: undefined },
      journal: { readSince: async () => [] }, clock: Date.now,
      onConnectionError: () => {}, onReplayFailure: (d) => t.comment(d),
    })
    t.teardown(() => store.close())
    await store.ready(5000)
    return store
  }
  return {
    store: await openStore(), another: openStore,
    async forgetUser(userId) { await direct.del(keysOf({ userId }).user) },
    async dump() {
      const out: string[] = []
      for (const key of await direct.keys('*')) {
        const type = await direct.type(key)
        out.push(key, JSON.stringify(type === 'hash' ? await direct.hgetall(key) : type === 'zset' ? await direct.zrange(key, 0, -1) : await direct.get(key)))
      }
      return out.join('\n')
    },
    async sizeOf({ userId, familyId }) { return Number(await direct.memory('USAGE', keysOf({ userId }).family(familyId))) },
    restart: () => server.restart(),
    cut: () => proxy.cut(), hang: () => proxy.hang(), heal: () => proxy.heal(),
    nowMs: Date.now,
    async reach(ms) { await new Promise((r) => setTimeout(r, Math.max(0, ms - Date.now()))) },
  }
}
runFamilyStoreContract('redis', open)
runFamilyProperties('redis', open)
