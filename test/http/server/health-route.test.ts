// GET /livez and /readyz over HTTP.

import { fastify } from 'fastify'
import { test } from 'tap'
import { registerHealth } from '../../../src/http/server/health-route.ts'
import { createHealth } from '../../../src/ops/health.ts'

test('liveness is 200 in every state; readiness is 503 only while starting or draining', async (t) => {
  let isDown = false
  let nowMs = 0
  const health = createHealth({
    checks: {
      postgresql: async () => {
        if (isDown) throw new Error('down')
      },
    },
    clock: () => nowMs,
  })
  const app = fastify()
  t.teardown(() => app.close())
  registerHealth(app, { health })

  const expectStates = async (status: string, code: number) => {
    const ready = await app.inject('/readyz')
    t.equal(ready.statusCode, code, status)
    t.match(ready.json(), { status, dependencies: { postgresql: isDown ? 'down' : 'ok' } })
    t.equal(ready.headers['cache-control'], 'no-store')
    const live = await app.inject('/livez')
    t.equal(live.statusCode, 200)
    t.strictSame(live.json(), { status: 'ok' })
    t.equal(live.headers['cache-control'], 'no-store')
  }
  await expectStates('starting', 503)
  health.markStarted()
  await expectStates('ok', 200)
  isDown = true
  nowMs += 1_000
  await expectStates('degraded', 200)
  health.markDraining()
  await expectStates('draining', 503)
})
