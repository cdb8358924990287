// Two instances behind nginx with deploy/nginx/two-instances.conf, replaced one after the other under load. A
// sample of `npm run rolling`, which has other releases, stores and several processes.

import { test } from 'tap'
import { isRefusal } from '../rolling/rolling-load.ts'
import { ENV_OF_THIS, openRollingScene } from '../rolling/rolling-scene.ts'
import { serverEnvironment } from '../support/lineage-process.ts'
import { openTestDatabase } from '../support/postgres.ts'
import { startRedis } from '../support/redis.ts'
import { ROOT } from '../support/repository-text.ts'

test('an instance is replaced by the next under load, and no request is lost', async (t) => {
  const [{ url }, redis] = await Promise.all([openTestDatabase(t), startRedis(t)])
  const env = serverEnvironment(url, redis.url)
  const release = { name: 'this', root: ROOT, program: 'src/main.ts', env: ENV_OF_THIS }
  const rolling = await openRollingScene(t, { env, release })
  for (const slot of [0, 1]) await rolling.replace(slot, release)
  await rolling.load.stop()
  t.strictSame(
    rolling.load.failures.filter((failure) => !isRefusal(failure)),
    [],
  )
  t.not(rolling.passedOn().size, 0, 'nginx has met a closed port')
})
