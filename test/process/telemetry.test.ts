// Traces of a real process, as a collector receives them: what belongs to what, how it is named, and what is
// in none of it.

import { test } from 'tap'
import { logIn } from '../support/app.ts'
import { refresh, serverEnvironment, startLineage } from '../support/lineage-process.ts'
import {
  type OtlpReceiver,
  type ReceivedSpan,
  startOtlpReceiver,
} from '../support/otlp-receiver.ts'
import { openTestDatabase } from '../support/postgres.ts'
import { startRedis } from '../support/redis.ts'
import { until } from '../support/until.ts'

/** Spans and figures leave at once, not after seconds. */
const AT_ONCE = { OTEL_BSP_SCHEDULE_DELAY: '1', OTEL_METRIC_EXPORT_INTERVAL: '100' }
const CALLER = { traceId: '4bf92f3577b34da6a3ce929d0e0e4736', spanId: '00f067aa0ba902b7' }
const TRACEPARENT = `00-${CALLER.traceId}-${CALLER.spanId}-01`

/** The span of a request, with its children, once all of them have come. */
function traceOf(
  receiver: OtlpReceiver,
  isIt: (span: ReceivedSpan) => boolean,
  children: readonly string[],
): Promise<{ server: ReceivedSpan; children: readonly ReceivedSpan[] }> {
  return receiver.until(({ spans }) => {
    const server = spans.find((span) => span.kind === 'SPAN_KIND_SERVER' && isIt(span))
    const found = spans.filter(({ parentSpanId }) => parentSpanId === server?.spanId)
    const hasAll = children.every((name) => found.some((span) => span.name === name))
    return server && hasAll && { server, children: found }
  })
}

test('a trace has the request, what it waited for, and nothing that anybody typed', async (t) => {
  const [{ url }, redis, receiver] = await Promise.all([
    openTestDatabase(t),
    startRedis(t),
    startOtlpReceiver(t),
  ])
  const service = await startLineage(t, {
    ...serverEnvironment(url, redis.url),
    ...AT_ONCE,
    OTEL_EXPORTER_OTLP_ENDPOINT: receiver.url,
    OTEL_EXPORTER_OTLP_HEADERS: 'x-tenant=one',
    OTEL_SERVICE_NAME: 'tokens',
    OTEL_RESOURCE_ATTRIBUTES: 'deployment.environment.name=test',
  })
  const client = await service.makeClient({ name: 'Typed-by-an-admin' })
  const user = await service.makeUser({ username: 'typed-by-a-user', password: 'typed-password' })
  const login = await logIn(service, client, user)

  await t.test(
    'a login: SQL, a wait for a lane, the making of a family, a signature',
    async (t) => {
      const isLogin = ({ attributes }: ReceivedSpan) => attributes['lineage.grant'] === 'password'
      const expected = ['hashing wait', 'postgresql select', 'redis create', 'sign']
      const { server, children } = await traceOf(receiver, isLogin, expected)
      t.match(server, {
        name: 'POST /token',
        parentSpanId: '',
        isError: false,
        attributes: {
          'http.request.method': 'POST',
          'http.route': '/token',
          'http.response.status_code': 200,
          'lineage.client_id': client.id,
          'lineage.outcome': 'ok',
        },
        resource: {
          'service.name': 'tokens',
          'deployment.environment.name': 'test',
          'process.pid': service.pid,
        },
      })
      for (const child of children) {
        t.equal(child.traceId, server.traceId, child.name)
        t.ok(child.startNano >= server.startNano, child.name)
        t.ok(child.endNano >= child.startNano, child.name)
      }
      t.match(
        children.find(({ name }) => name === 'postgresql select'),
        {
          kind: 'SPAN_KIND_CLIENT',
          attributes: { 'db.system.name': 'postgresql', 'db.operation.name': 'select' },
        },
      )
      const line = await until('its line', () =>
        service.log('request.completed').find(({ traceId }) => traceId === server.traceId),
      )
      t.match(line, { route: '/token', traceparent: `00-${server.traceId}-${server.spanId}-01` })
      t.equal(
        service.log('login.succeeded')[0]?.reqId,
        line?.reqId,
        'and what it caused is found by its id',
      )
    },
  )

  await t.test('a refresh: in the trace of its caller, with Redis and the signature', async (t) => {
    const answer = await refresh(service, client, login.refresh_token, {
      traceparent: TRACEPARENT,
      tracestate: 'vendor=typed-state',
      'x-request-id': 'typed-id',
      'user-agent': 'typed-agent',
    })
    t.equal(answer.status, 200)
    const isRefresh = ({ traceId }: ReceivedSpan) => traceId === CALLER.traceId
    const { server, children } = await traceOf(receiver, isRefresh, ['redis rotate', 'sign'])
    t.equal(server.parentSpanId, CALLER.spanId, 'the caller is the parent')
    t.equal(server.name, 'POST /token')
    t.strictSame(
      children.map(({ name }) => name),
      ['redis rotate', 'sign'],
      'and no more than that',
    )
    t.equal(
      answer.headers.get('traceparent'),
      `00-${CALLER.traceId}-${server.spanId}-01`,
      'the answer names our own span',
    )
    const line = await until('its line', () =>
      service.log('request.completed').find(({ reqId }) => reqId === 'typed-id'),
    )
    t.equal(line.traceId, CALLER.traceId, 'and so does the log')
  })

  await t.test('what is refused, unknown or not recorded', async (t) => {
    const tried = await service.form('/token?typed-query=1', { grant_type: 'typed-grant' })
    t.equal(tried.status, 400)
    await service.fetch('/typed-path/typed-segment')
    await service.fetch('/verify/typed-below?typed=1')
    await service.fetch('/livez', { method: 'PROPFIND' })
    const unsampled = TRACEPARENT.replace(CALLER.traceId, '1'.repeat(32)).replace(/01$/, '00')
    const hidden = await service.fetch('/livez', { headers: { traceparent: unsampled } })
    t.match(hidden.headers.get('traceparent'), /^00-1{32}-[0-9a-f]{16}-00$/)
    const named = await receiver.until(({ spans }) => {
      const servers = spans.filter(({ kind }) => kind === 'SPAN_KIND_SERVER')
      const names = servers.map(({ name }) => name)
      return (
        ['POST /token', 'GET', 'GET /verify/*', 'HTTP /livez'].every((name) =>
          names.includes(name),
        ) && servers
      )
    })
    const refused = named.find(({ attributes }) => attributes['http.response.status_code'] === 400)
    t.match(refused, {
      isError: false,
      attributes: { 'lineage.outcome': 'unsupported_grant_type', 'lineage.reason': /./ },
    })
    t.notOk(receiver.spans.some(({ traceId }) => traceId === '1'.repeat(32)))
  })

  await t.test('nothing that anybody typed, no secret, no URL and no statement', async (t) => {
    service.signal('SIGTERM')
    t.strictSame(await service.exited, { code: 0, signal: null })
    const sent = Buffer.concat(receiver.exports.map(({ body }) => body)).toString('latin1')
    const secrets = [login.access_token, login.refresh_token, user.password, user.username]
    for (const text of [...secrets, 'typed', 'Typed', 'SELECT', '$1', 'http://', url, redis.url]) {
      t.notOk(sent.includes(text), text.slice(0, 12))
    }
    t.ok(sent.includes('lineage_refresh_total'), 'but figures')
    t.ok(receiver.exports.every(({ headers }) => headers['x-tenant'] === 'one'))
    t.strictSame(service.log('telemetry.failed'), [])
  })
})
