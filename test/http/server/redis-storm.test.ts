// Redis that restarts, changes sides, is full, forbids or forgets under load: an answer is the right
// one or 503, and nothing that the driver says becomes a 500.

import { test } from 'tap'
import { parseRedisUrl } from '../../../src/config/redis-url.ts'
import { runStorm, type Tally } from '../../scenes/storm-scene.ts'
import { startApp, type TestApp } from '../../support/app.ts'
import { type RedisProcess, startRedis } from '../../support/redis.ts'

const ALLOWED: readonly number[] = [200, 204, 400, 401, 503]
const MET = ['login', 'verify', 'refresh', 'revocation', 'logout']

/** One user, whose calls follow each other until the storm is over. */
async function live(app: TestApp, clientId: string, tally: Tally, isOver: () => boolean) {
  const user = await app.makeUser()
  const client = { client_id: clientId }
  const credentials = { username: user.username, password: user.password }
  let [access, refresh] = ['none', 'none']
  while (!isOver()) {
    const login = { ...client, grant_type: 'password', ...credentials }
    const tokens = await tally.note('login', app.form('/token', login))
    access = tokens.access_token ?? access
    refresh = tokens.refresh_token ?? refresh
    const headers = { authorization: `Bearer ${access}` }
    const rotation = { ...client, grant_type: 'refresh_token', refresh_token: refresh }
    await Promise.all([
      tally.note('verify', app.fetch('/verify', { headers })),
      tally.note('sessions', app.fetch('/users/me/sessions', { headers })),
      tally.note('refresh', app.form('/token', rotation)),
      tally.note('revocation', app.form('/revoke', { ...client, token: access })),
      tally.note('logout', app.fetch('/users/me/sessions', { method: 'DELETE', headers })),
      tally.note('readiness', app.fetch('/readyz')),
    ])
  }
}

/** What happens to Redis, and how it ends; answers are waited for in between. */
function disturbances(server: RedisProcess): (() => Promise<unknown>)[][] {
  const send =
    (...command: string[]) =>
    () =>
      server.cli(...command)
  return [
    [send('SCRIPT', 'FLUSH')],
    [send('CLIENT', 'KILL', 'TYPE', 'normal')],
    [send('FLUSHALL')],
    [send('REPLICAOF', '127.0.0.1', '1'), send('REPLICAOF', 'NO', 'ONE')],
    [send('CONFIG', 'SET', 'maxmemory', '1'), send('CONFIG', 'SET', 'maxmemory', '0')],
    [
      send('CONFIG', 'SET', 'min-replicas-to-write', '1'),
      send('CONFIG', 'SET', 'min-replicas-to-write', '0'),
    ],
    [send('ACL', 'SETUSER', 'default', '-evalsha'), send('ACL', 'SETUSER', 'default', '+@all')],
    [server.kill, server.start],
    [server.restart],
    [server.kill, server.start],
  ]
}

test('no failure of Redis under load is a 500', async (t) => {
  const server = await startRedis(t)
  const app = await startApp(t, { config: { redis: parseRedisUrl(server.url) } })
  await runStorm(t, {
    app,
    users: 6,
    live: (clientId, tally, isOver) => live(app, clientId, tally, isOver),
    disturbances: disturbances(server),
    allowed: ALLOWED,
    met: MET,
  })
})
