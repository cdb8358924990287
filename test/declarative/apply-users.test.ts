// Users whom files change have sessions in Redis: what is decided in PostgreSQL is there before the command
// ends, or the command says that it is not.

import { test } from 'tap'
import { openDeclarativeScene, publicClient, resource } from '../scenes/declarative-scene.ts'
import { logIn } from '../support/app.ts'
import { startRedis } from '../support/redis.ts'
import { until } from '../support/until.ts'

const TEAM = ['--label', 'team=payments']
const ADA = { username: 'ada', password: 'correct horse battery' }

test('who is pruned has no session left; with Redis away that is said, and carried there later', async (t) => {
  const redis = await startRedis(t)
  const { app, apply, run } = await openDeclarativeScene(t, redis.url)
  const ada = resource('User', 'ada', { email: 'ada@example.com' })
  const web = publicClient('web')
  t.equal((await apply([web, ada], TEAM)).code, 0)
  await app.service.clients.reload()
  t.equal((await run(['user', 'set-password', 'ada'], `${ADA.password}\n`)).code, 0)
  const refresh = async (token: string) =>
    (
      await app.form('/token', {
        ...{ grant_type: 'refresh_token', client_id: 'web', refresh_token: token },
      })
    ).status

  const first = await logIn(app, { id: 'web', secret: '' }, ADA)
  t.equal((await apply(web, [...TEAM, '--prune'])).code, 0)
  t.equal(await refresh(first.refresh_token), 400, 'the session has ended')
  t.equal((await apply([web, ada], TEAM)).code, 0)
  const second = await logIn(app, { id: 'web', secret: '' }, ADA)

  await redis.stop()
  const unfinished = await apply(web, [...TEAM, '--prune'])
  t.equal(unfinished.code, 1)
  t.match(unfinished.stdout, /User ada disabled, but not everywhere yet: .*redis/)
  t.match(unfinished.stderr, 'changes that are not done: 1')
  t.equal((await apply(web, [...TEAM, '--prune'])).code, 0, 'nothing is left to do here')
  await redis.start()
  await until(
    'a refresh that is answered',
    async () => (await refresh(second.refresh_token)) !== 503,
  )
  t.equal(await refresh(second.refresh_token), 400, 'the journal has brought it')
})
