// Without OTEL_EXPORTER_OTLP_ENDPOINT nothing of OpenTelemetry is loaded: the service does all that it does
// in a process where it cannot be.

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
import { startReceiver } from '../support/webhook-receiver.ts'

const WITHOUT = { program: 'test/process/fixtures/without-opentelemetry.ts' }
const ENDPOINT = 'http://127.0.0.1:9'
const TRACE = '00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01'

test('without an address the service neither has nor needs OpenTelemetry', async (t) => {
  const [{ url }, redis, receiver] = await Promise.all([
    openTestDatabase(t),
    startRedis(t),
    startReceiver(t),
  ])
  const env = serverEnvironment(url, redis.url)
  const service = await startLineage(
    t,
    { ...env, OTEL_EXPORTER_OTLP_TRACES_ENDPOINT: ENDPOINT, OTEL_TRACES_EXPORTER: 'otlp' },
    WITHOUT,
  )
  const webhook = { url: receiver.url, events: ['login.succeeded'], allowPrivateNetwork: true }
  t.equal((await service.admin('POST', '/admin/webhooks', webhook)).status, 201)
  const client = await service.makeClient({})
  const user = await service.makeUser()
  const tokens = await logIn(service, client, user)
  t.equal((await refresh(service, client, tokens.refresh_token)).status, 200)
  const traced = await service.fetch('/livez', { headers: { traceparent: TRACE } })
  t.equal(traced.headers.get('traceparent'), TRACE, 'comes back as it came')
  const [message] = await receiver.wait(1)
  t.equal(message?.headers.traceparent, undefined)
  t.match(
    service.log('service.notice').map(({ notice }) => notice),
    [/OTEL_EXPORTER_OTLP_TRACES_ENDPOINT: without effect while/],
  )
  t.equal((await service.fetch('/metrics')).status, 500, 'but for metrics that somebody asks for')
  service.signal('SIGTERM')
  t.strictSame(await service.exited, { code: 0, signal: null })

  const on = { ...env, OTEL_EXPORTER_OTLP_ENDPOINT: ENDPOINT }
  const refused = await spawnLineage(t, on, WITHOUT)
  t.strictSame(await refused.exited, { code: 1, signal: null }, 'with one it is loaded')
  t.match(refused.stderr.join(), 'there is no OpenTelemetry here')
})
