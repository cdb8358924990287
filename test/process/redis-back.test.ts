// Redis that comes back with nothing in it, and a start without one (docs/semantics.md §4, §13). What is
// answered while it is away: test/outages/.

import { test } from 'tap'
import { logIn } from '../support/app.ts'
import {
  refresh,
  serverEnvironment,
  spawnLineage,
  startLineage,
} from '../support/lineage-process.ts'
import { openTestDatabase } from '../support/postgres.ts'
import { startRedis } from '../support/redis.ts'
import { until } from '../support/until.ts'

test('a login of just now is made again by a Redis that has lost every key', async (t) => {
  const [{ url }, redis] = await Promise.all([openTestDatabase(t), startRedis(t)])
  const service = await startLineage(t, serverEnvironment(url, redis.url))
  const [client, user] = [await service.makeClient({}), await service.makeUser()]
  const { refresh_token: token } = await logIn(service, client, user)
  await redis.cli('FLUSHALL')
  await redis.restart()
  await until('a login', () => logIn(service, client, user).catch(() => false as const))
  t.equal((await refresh(service, client, token)).status, 200)
})

test('a start without Redis is degraded, and whole when Redis comes', async (t) => {
  const [{ url }, redis] = await Promise.all([openTestDatabase(t), startRedis(t)])
  await redis.stop()
  const service = await spawnLineage(t, serverEnvironment(url, redis.url))
  await service.ready()
  const { code, body } = await service.readiness()
  t.equal(code, 200)
  t.match(body, { status: 'degraded', dependencies: { postgresql: 'ok', redis: 'down' } })
  await redis.start()
  await until('Redis', async () => (await service.readiness()).body.status === 'ok')
  const client = await service.makeClient({})
  t.match((await logIn(service, client, await service.makeUser())).refresh_token, /^lrt_/)
})
