// The line of each request: outcome, client, grant and trace, the same whether the front answers it or
// Fastify; nothing that somebody typed; and a line also for a request whose caller hung up.

import { once } from 'node:events'
import { connect } from 'node:net'
import pg from 'pg'
import { type Test, test } from 'tap'
import { ADMIN, type LogLine, logIn, startApp, type TestApp } from '../../support/app.ts'
import { exchange, FORM, write } from '../../support/hostile-wire.ts'
import { readMetrics } from '../../support/metrics.ts'
import { until } from '../../support/until.ts'

const TRACE = '4bf92f3577b34da6a3ce929d0e0e4736'

/** The form with its length, as the front takes it, and in one chunk, as only Fastify does. */
function writeForm(path: string, body: string, headers: readonly string[], isChunked: boolean) {
  const all = [FORM, `traceparent: 00-${TRACE}-00f067aa0ba902b7-01`, ...headers]
  if (!isChunked) return write(`POST ${path}`, all, body)
  const chunk = `${Buffer.byteLength(body).toString(16)}\r\n${body}\r\n0\r\n\r\n`
  return Buffer.concat([
    write(`POST ${path}`, [...all, 'Transfer-Encoding: chunked']),
    Buffer.from(chunk),
  ])
}

let asked = 0

/** The line of a form that is sent so, by either way. */
async function linesOf(app: TestApp, path: string, form: Record<string, string>) {
  const lines: LogLine[] = []
  for (const isChunked of [false, true]) {
    asked += 1
    const id = `request-${asked}`
    const body = new URLSearchParams(form).toString()
    await exchange(app.url, writeForm(path, body, [`X-Request-Id: ${id}`], isChunked))
    const isIt = (line: LogLine) => line.event === 'request.completed' && line.reqId === id
    lines.push(await until('its line', () => app.log.find(isIt)))
  }
  return lines.map(({ status, outcome, clientId, grant, traceId, route, method }) => ({
    ...{ status, outcome, clientId, grant, traceId, route, method },
  }))
}

test('a line says the outcome, the client and the grant, by the front and by Fastify', async (t) => {
  const app = await startApp(t)
  const client = await app.makeClient({})
  const user = await app.makeUser()
  const { refresh_token: token } = await logIn(app, client, user)
  const own = { client_id: client.id }
  const login = { grant_type: 'password', ...own, username: user.username }
  const expected: [path: string, form: Record<string, string>, line: object][] = [
    [
      '/token',
      { ...login, password: user.password },
      { status: 200, outcome: 'ok', grant: 'password' },
    ],
    [
      '/token',
      { ...login, password: 'x' },
      { status: 400, outcome: 'invalid_grant', grant: 'password' },
    ],
    [
      '/token',
      { grant_type: 'refresh_token', ...own, refresh_token: `${token}x` },
      { status: 400, outcome: 'invalid_grant', grant: 'refresh_token' },
    ],
    [
      '/token',
      { grant_type: 'client_credentials', ...own },
      { status: 400, outcome: 'unauthorized_client', grant: 'client_credentials' },
    ],
    [
      '/token',
      { grant_type: 'refresh_token', ...own },
      { status: 400, outcome: 'invalid_request', grant: 'refresh_token', clientId: undefined },
    ],
    [
      '/token',
      own,
      { status: 400, outcome: 'invalid_request', grant: undefined, clientId: undefined },
    ],
    [
      '/token',
      { grant_type: 'implicit', ...own },
      { status: 400, outcome: 'unsupported_grant_type', grant: undefined, clientId: undefined },
    ],
    ['/revoke', { ...own, token: 'x' }, { status: 200, outcome: 'ok', grant: undefined }],
    ['/introspect', { ...own, token: 'x' }, { status: 401, outcome: 'invalid_client' }],
    [
      '/introspect',
      { client_id: ADMIN.id, client_secret: 'a wrong one', token: 'x' },
      { status: 401, outcome: 'invalid_client', clientId: ADMIN.id },
    ],
  ]
  for (const [path, form, line] of expected) {
    const all = { clientId: client.id, traceId: TRACE, route: path, method: 'POST', ...line }
    t.match(await linesOf(app, path, form), [all, all], `${path} ${JSON.stringify(line)}`)
  }
})

test('a refusal outside of OAuth has its code, and a token its client', async (t) => {
  const app = await startApp(t)
  const client = await app.makeClient({})
  const { access_token: token } = await logIn(app, client, await app.makeUser())
  const lineOf = async (path: string, headers: Record<string, string> = {}, method = 'GET') => {
    asked += 1
    const id = `request-${asked}`
    await app.fetch(path, { method, headers: { 'x-request-id': id, ...headers } })
    const isIt = (line: LogLine) => line.event === 'request.completed' && line.reqId === id
    return await until('its line', () => app.log.find(isIt))
  }
  const bearer = { authorization: `Bearer ${token}` }
  t.match(await lineOf('/users/me', bearer), { outcome: 'ok', clientId: client.id })
  t.match(await lineOf('/verify', bearer), { outcome: 'ok', clientId: client.id, route: '/verify' })
  t.match(await lineOf('/admin/users', bearer), {
    ...{ status: 403, outcome: 'insufficient_scope', clientId: client.id },
  })
  const odd = await lineOf('/verify', { authorization: `Bearer ${token}x` })
  t.match(odd, { status: 401, outcome: 'invalid_token', clientId: undefined })
  t.match(await lineOf('/nowhere'), { status: 404, outcome: 'not_found', route: undefined })
  t.match(await lineOf('/token'), { status: 405, outcome: 'invalid_request', route: '/token' })
  t.match(await lineOf('/livez'), { status: 200, outcome: 'ok' })
})

test('what somebody typed is in no line', async (t) => {
  const app = await startApp(t)
  const typed = 'hunter2-typed-here'
  const forms: Record<string, string>[] = [
    { grant_type: typed, client_id: typed },
    { grant_type: 'password', client_id: typed, username: typed, password: typed },
    { grant_type: 'client_credentials', client_id: typed, client_secret: typed },
    { grant_type: 'refresh_token', client_id: typed, refresh_token: typed, scope: typed },
  ]
  for (const form of forms) {
    for (const line of await linesOf(app, '/token', form)) t.equal(line.clientId, undefined)
  }
  t.notMatch(JSON.stringify(app.log), typed)
})

async function openLock(t: Test, url: string) {
  const holder = new pg.Client({ connectionString: url })
  await holder.connect()
  t.teardown(() => holder.end())
  await holder.query('BEGIN; LOCK TABLE users')
  return {
    isAwaited: async () => {
      const { rows } = await holder.query(
        `SELECT FROM pg_locks JOIN pg_database ON pg_database.oid = database
          WHERE NOT granted AND datname = current_database()`,
      )
      return rows.length > 0
    },
    release: () => holder.query('ROLLBACK'),
  }
}

for (const isChunked of [false, true]) {
  test(`a caller who hangs up leaves a line, ${isChunked ? 'at Fastify' : 'at the front'}`, async (t) => {
    const app = await startApp(t)
    const client = await app.makeClient({})
    const user = await app.makeUser()
    const lock = await openLock(t, app.databaseUrl)
    const { username, password } = user
    const form = { grant_type: 'password', client_id: client.id, username, password }
    const body = new URLSearchParams(form).toString()
    const socket = connect(Number(new URL(app.url).port), '127.0.0.1')
    socket.write(writeForm('/token', body, ['X-Request-Id: gone'], isChunked))
    await until('a login that waits', lock.isAwaited)
    socket.destroy()
    await once(socket, 'close')
    const isIt = (line: LogLine) => line.event === 'request.abandoned'
    const line = await until('its line', () => app.log.find(isIt))
    t.match(line, {
      ...{ level: 'info', reqId: 'gone', method: 'POST', route: '/token', durationMs: Number },
      ...{ clientId: client.id, grant: 'password' },
    })
    const series = '{route="/token",method="POST",status_class="none"}'
    const counted = await readMetrics(app)
    t.equal(counted.get(`lineage_http_request_duration_seconds_count${series}`), 1)
    await lock.release()
    t.equal(app.log.filter(isIt).length, 1)
    t.notOk(app.log.some(({ event, reqId }) => event === 'request.completed' && reqId === 'gone'))
  })
}
