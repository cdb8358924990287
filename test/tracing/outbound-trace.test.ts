// What we send to others carries the trace, and what a request does after its body has come belongs to it.

import { type Test, test } from 'tap'
import { readTelemetry } from '../../src/config/telemetry.ts'
import {
  claimsOf,
  expectToken,
  makeKeyClient,
  newKey,
  presentAssertion,
  signAssertion,
  startPublisher,
} from '../scenes/assertion-scene.ts'
import { startApp } from '../support/app.ts'
import { startOtlpReceiver } from '../support/otlp-receiver.ts'
import { startReceiver } from '../support/webhook-receiver.ts'

const TRACE_ID = '4bf92f3577b34da6a3ce929d0e0e4736'
const TRACEPARENT = `00-${TRACE_ID}-00f067aa0ba902b7-01`

async function startTraced(t: Test, more: Record<string, string> = {}) {
  const receiver = await startOtlpReceiver(t)
  const env = { OTEL_EXPORTER_OTLP_ENDPOINT: receiver.url, OTEL_BSP_SCHEDULE_DELAY: '1', ...more }
  const { telemetry } = readTelemetry(env, () => '')
  return { receiver, app: await startApp(t, { config: { telemetry } }) }
}

test('a webhook carries the trace of its attempt', async (t) => {
  const { receiver, app } = await startTraced(t, { OTEL_EXPORTER_OTLP_PROTOCOL: 'http/json' })
  const hook = await startReceiver(t)
  await app.admin('POST', '/admin/webhooks', {
    url: hook.url,
    events: ['user.created'],
    allowPrivateNetwork: true,
  })
  await app.makeUser()
  const [message] = await hook.wait(1)
  const span = await receiver.until(({ spans }) =>
    spans.find(({ name }) => name === 'POST webhook'),
  )
  t.equal(message?.headers.traceparent, `00-${span.traceId}-${span.spanId}-01`)
  t.match(span, {
    parentSpanId: '',
    isError: false,
    attributes: { 'http.response.status_code': 204, 'lineage.purpose': 'webhook' },
  })
})

test('a fetch of keys is part of the request that needs them', async (t) => {
  const { receiver, app } = await startTraced(t)
  const publisher = await startPublisher(t)
  const key = newKey('one')
  publisher.publish(key)
  const id = await makeKeyClient(app, [], { jwksUri: publisher.uri, allowPrivateNetwork: true })
  await expectToken(
    t,
    await presentAssertion(app, await signAssertion(key, claimsOf(id))),
    'a token',
  )
  const fetched = await receiver.until(({ spans }) => spans.find(({ name }) => name === 'GET jwks'))
  t.equal(fetched.attributes['http.response.status_code'], 200)
  const parent = await receiver.until(({ spans }) =>
    spans.find(({ spanId }) => spanId === fetched.parentSpanId),
  )
  t.match(parent, { name: 'POST /token', kind: 'SPAN_KIND_SERVER' })
})

test('what a JSON endpoint does after its body has come is part of the request', async (t) => {
  const { receiver, app } = await startTraced(t)
  const token = await app.adminToken()
  const answer = await app.fetch('/admin/clients', {
    method: 'POST',
    headers: {
      authorization: `Bearer ${token}`,
      'content-type': 'application/json',
      traceparent: TRACEPARENT,
    },
    body: JSON.stringify({ name: 'x', type: 'public', grantTypes: ['password'] }),
  })
  t.equal(answer.status, 201)
  const isIt = ({ traceId }: { traceId: string }) => traceId === TRACE_ID
  const server = await receiver.until(({ spans }) =>
    spans.find((span) => isIt(span) && span.kind === 'SPAN_KIND_SERVER'),
  )
  t.equal(server.name, 'POST /admin/clients')
  await receiver.until(({ spans }) =>
    spans.some((span) => isIt(span) && span.name === 'postgresql insert'),
  )
  const children = receiver.spans.filter((span) => isIt(span) && span !== server)
  for (const child of children) t.equal(child.parentSpanId, server.spanId, child.name)
})

test('a caller who hangs up leaves a span that says so', async (t) => {
  const { receiver, app } = await startTraced(t)
  const user = await app.makeUser()
  const client = await app.makeClient({})
  const hungUp = new AbortController()
  const sent = app.fetch('/token', {
    method: 'POST',
    headers: { traceparent: TRACEPARENT },
    body: new URLSearchParams({
      ...{ grant_type: 'password', client_id: client.id },
      ...{ username: user.username, password: user.password },
    }),
    signal: hungUp.signal,
  })
  app.app.server.once('request', () => hungUp.abort())
  await sent.catch(() => {})
  const span = await receiver.until(({ spans }) =>
    spans.find(({ traceId, kind }) => traceId === TRACE_ID && kind === 'SPAN_KIND_SERVER'),
  )
  t.match(span, { isError: true, attributes: { 'error.type': 'hung_up' } })
})

test('without propagation callers and receivers stay apart', async (t) => {
  const { receiver, app } = await startTraced(t, { OTEL_PROPAGATORS: 'none' })
  await app.fetch('/livez', { headers: { traceparent: TRACEPARENT } })
  const span = await receiver.until(({ spans }) => spans.find(({ name }) => name === 'GET /livez'))
  t.not(span.traceId, TRACE_ID)
  t.equal(span.parentSpanId, '')
})
