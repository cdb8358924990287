// What callers see when there are more refreshes than can be under way.

import { test } from 'tap'
import { parseRedisUrl } from '../../src/config/redis-url.ts'
import { startApp } from '../support/app.ts'
import { startRedis } from '../support/redis.ts'
import { until } from '../support/until.ts'

const CALLERS = 400

test('refreshes that do not come to their turn are 503 with Retry-After, and work afterwards', async (t) => {
  const redis = await startRedis(t)
  const app = await startApp(t, { config: { redis: parseRedisUrl(redis.url) } })
  const [user, client] = [await app.makeUser(), await app.makeClient({})]
  const form = { client_id: client.id, grant_type: 'refresh_token' }
  const { username, password } = user
  const login = { ...form, grant_type: 'password', username, password }
  const tokens = (await (await app.form('/token', login)).json()) as { refresh_token: string }
  const refresh = { ...form, refresh_token: tokens.refresh_token }
  const shed = () => app.log.filter(({ reason }) => reason === 'overloaded')

  let isOver = false
  const statuses = new Set<number>()
  const retryAfter = new Set<string | null>()
  const call = async () => {
    while (!isOver) {
      const answer = await app.form('/token', refresh)
      const { error } = (await answer.json()) as { error?: string }
      statuses.add(answer.status)
      if (answer.status === 503) {
        t.equal(error, 'temporarily_unavailable')
        retryAfter.add(answer.headers.get('retry-after'))
      }
    }
  }
  await redis.pause()
  const callers = Array.from({ length: CALLERS }, call)
  await until('refreshes that were turned away', () => shed().length > 0)
  await redis.resume()
  isOver = true
  await Promise.all(callers)
  t.ok([...statuses].every((status) => status === 503 || status === 200))
  t.ok([...retryAfter].every((seconds) => Number(seconds) >= 1))
  const line = await until('its line', () => app.log.find(({ event }) => event === 'load.shed'))
  t.ok(Number(line.refresh) > 0)
  const exposed = await (await app.fetch('/metrics')).text()
  t.match(exposed, /^lineage_shed_total\{class="refresh"\} [1-9]/m)
  t.match(exposed, /^lineage_shed_total\{class="login"\} 0$/m)
  t.equal((await app.form('/token', login)).status, 200)
})
