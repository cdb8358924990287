// `lineage user …` with families in Redis: what is decided in PostgreSQL is there before the command
// ends, or the command says that it is not.

import { test } from 'tap'
import { parseRedisUrl } from '../../src/config/redis-url.ts'
import { logIn, startApp } from '../support/app.ts'
import { runHere, runJson } from '../support/command-line.ts'
import { serverEnvironment } from '../support/lineage-process.ts'
import { startRedis } from '../support/redis.ts'
import { until } from '../support/until.ts'

test('a logout is in Redis at once; with Redis away it is made, and carried there later', async (t) => {
  const redis = await startRedis(t)
  const app = await startApp(t, { config: { redis: parseRedisUrl(redis.url) } })
  const env = serverEnvironment(app.databaseUrl, redis.url)
  const client = await app.makeClient({})
  const user = await app.makeUser()
  const refresh = async (token: string) => {
    const answer = await app.form('/token', {
      grant_type: 'refresh_token',
      client_id: client.id,
      refresh_token: token,
    })
    return answer.status
  }

  const first = await logIn(app, client, user)
  t.match(await runJson(t, env, ['user', 'sessions', user.username]), [{ status: 'active' }])
  t.equal((await runHere(env, ['user', 'logout', user.username])).code, 0)
  t.equal(await refresh(first.refresh_token), 400)

  const second = await logIn(app, client, user)
  await redis.stop()
  const { code, stdout, stderr } = await runHere(env, ['user', 'logout', user.username])
  t.strictSame([code, stdout], [1, ''])
  t.match(stderr, /^lineage: the change is made, but redis is unavailable: .* repeat the command/m)
  const listed = await runJson(t, env, ['user', 'sessions', user.username], { code: 1 })
  t.match(listed, { error: /redis is unavailable/ })
  await redis.start()
  await until(
    'a refresh that is answered',
    async () => (await refresh(second.refresh_token)) !== 503,
  )
  t.equal(await refresh(second.refresh_token), 400, 'the journal has brought the logout')
})
