// What /verify says while the store of the families is away (docs/semantics.md §12): what was revoked is
// never guessed. Which of the stores it needs, and how fast it answers: test/outages/.

import { type Test, test } from 'tap'
import { parseRedisUrl } from '../../../src/config/redis-url.ts'
import { openTcpProxy } from '../../contract/tcp-proxy.ts'
import { openVerifyScene, type VerifyScene } from '../../scenes/verify-scene.ts'
import { openTestDatabase } from '../../support/postgres.ts'
import { startRedis } from '../../support/redis.ts'
import { until } from '../../support/until.ts'

async function isUnavailable(t: Test, scene: VerifyScene): Promise<void> {
  for (const path of ['/verify', '/verify/x', '/verify?scope=delete']) {
    const answer = await scene.verify(path, { method: 'POST', body: '{' })
    t.equal(answer.status, 503, path)
    t.match(answer.headers.get('retry-after'), /^[1-9]\d*$/)
    t.equal(answer.headers.get('cache-control'), 'no-store')
    t.equal(answer.headers.get('x-auth-subject'), null)
    t.equal(((await answer.json()) as { code: string }).code, 'temporarily_unavailable')
  }
  const bad = await scene.verify('/verify', { headers: { authorization: 'Bearer x' } })
  t.equal(bad.status, 401, 'what is no token needs no store')
}

/** A database behind a wire that can be cut. */
async function openDatabase(t: Test) {
  const url = new URL((await openTestDatabase(t)).url)
  const proxy = await openTcpProxy(t, { host: url.hostname, port: Number(url.port || 5432) })
  url.hostname = '127.0.0.1'
  url.port = String(proxy.port)
  return { proxy, databaseUrl: url.href }
}

test('without Redis it is 503, and works when Redis is back', async (t) => {
  const redis = await startRedis(t)
  const scene = await openVerifyScene(t, {}, { config: { redis: parseRedisUrl(redis.url) } })
  t.equal((await scene.verify()).status, 200)
  await redis.stop()
  await isUnavailable(t, scene)
  await redis.start()
  await until('Redis', async () => (await scene.verify()).status === 200)
})

test('without the PostgreSQL that holds the families it is 503', async (t) => {
  const { proxy, databaseUrl } = await openDatabase(t)
  const scene = await openVerifyScene(t, {}, { beside: { databaseUrl } })
  t.equal((await scene.verify()).status, 200)
  await proxy.cut()
  await isUnavailable(t, scene)
  await proxy.heal()
  await until('PostgreSQL', async () => (await scene.verify()).status === 200)
})
