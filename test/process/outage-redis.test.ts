// Redis away under a running service, stopped and paused (docs/semantics.md §12).

import { test } from 'tap'
import { checkOutage, openOutageScene } from '../scenes/outage-scene.ts'
import { logIn } from '../support/app.ts'
import { refresh, serverEnvironment, spawnLineage } from '../support/lineage-process.ts'
import { openTestDatabase } from '../support/postgres.ts'
import { startRedis } from '../support/redis.ts'
import { millisecondsUntil } from '../support/until.ts'

test('without Redis: what needs no family works, the rest says 503', async (t) => {
  const scene = await openOutageScene(t)
  const { redis } = scene
  const away = {
    down: 'redis',
    works: ['clientCredentials', 'jwks', 'metadata', 'liveness', 'registration'],
  } as const

  await t.test('stopped', (t) =>
    checkOutage(t, scene, { ...away, begin: redis.stop, end: redis.start }),
  )
  await t.test('paused', (t) =>
    checkOutage(t, scene, { ...away, begin: redis.pause, end: redis.resume }),
  )
  await t.test('stopped again, with every key lost when it is back', async (t) => {
    const { service, client, user } = scene
    const { refresh_token: token } = await logIn(service, client, user)
    await redis.cli('FLUSHALL')
    await redis.restart()
    await millisecondsUntil('a login', () =>
      logIn(service, client, user).then(
        () => true,
        () => false,
      ),
    )
    t.equal(
      (await refresh(service, client, token)).status,
      200,
      'a login of just now is made again',
    )
  })
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
  const backMs = await millisecondsUntil('Redis', async () => {
    return (await service.readiness()).body.status === 'ok'
  })
  t.ok(backMs < 10_000, `${backMs} ms`)
  const client = await service.makeClient({})
  t.match((await logIn(service, client, await service.makeUser())).refresh_token, /^lrt_/)
})
