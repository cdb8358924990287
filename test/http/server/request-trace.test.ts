// A request is found again by the id and the trace that it brought, in the answer and in the log.

import { test } from 'tap'
import { type LogLine, startApp } from '../../support/app.ts'
import { exchange, FORM, write } from '../../support/hostile-wire.ts'
import { until } from '../../support/until.ts'

const UUID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/
const TRACE = '00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01'

function completed(log: readonly LogLine[], reqId: string): Promise<LogLine> {
  const isIt = (line: LogLine) => line.event === 'request.completed' && line.reqId === reqId
  return until('the line of the request', () => log.find(isIt))
}

test('the id and the trace that came go into the answer and into every line', async (t) => {
  const { fetch, form, log } = await startApp(t)
  const headers = { 'x-request-id': 'edge-7f.3:A_1', traceparent: TRACE }
  const answers = [
    await fetch('/livez', { headers }),
    await fetch('/nowhere', { headers }),
    await fetch('/token', { headers }),
    await fetch('/.well-known/jwks.json', { headers }),
    await fetch('/users/me', { headers }),
    await fetch('/admin/users', { headers }),
    await fetch('/verify/any/%zz', { headers }),
    await fetch('/broken/%zz', { headers }),
    await form('/token', { grant_type: 'x' }, headers),
  ]
  for (const { status, headers: sent } of answers) {
    t.equal(sent.get('x-request-id'), 'edge-7f.3:A_1', String(status))
    t.equal(sent.get('traceparent'), TRACE, String(status))
  }
  t.match(await completed(log, 'edge-7f.3:A_1'), { traceparent: TRACE })
  const refused = log.filter(({ event }) => event === 'request.refused')
  t.ok(refused.length >= 5)
  for (const line of refused) t.match(line, { reqId: 'edge-7f.3:A_1', traceparent: TRACE })
})

test('what is no id is replaced, what is no trace is left out', async (t) => {
  const { fetch, log, url } = await startApp(t)
  const ids = ['', 'a b', 'a,b', 'a/b', '<b>', 'a@b.example', 'x'.repeat(129), 'é']
  for (const id of ids) {
    const answer = await fetch('/livez', { headers: { 'x-request-id': id } })
    const given = answer.headers.get('x-request-id') ?? ''
    t.match(given, UUID, id)
    await completed(log, given)
  }
  const longest = 'x'.repeat(128)
  const kept = await fetch('/livez', { headers: { 'x-request-id': longest } })
  t.equal(kept.headers.get('x-request-id'), longest)
  const twice = write('GET /livez', ['X-Request-Id: a', 'X-Request-Id: b'], '')
  t.match((await exchange(url, twice))[0]?.headers['x-request-id'], UUID, 'two of them are none')
  const traces = [
    '',
    TRACE.toUpperCase(),
    `${TRACE}-x`,
    TRACE.replace('00-', 'ff-'),
    TRACE.replace(/4bf9[^-]+/, '0'.repeat(32)),
    TRACE.replace('00f067aa0ba902b7', '0'.repeat(16)),
    TRACE.slice(1),
  ]
  for (const traceparent of traces) {
    const answer = await fetch('/livez', { headers: { traceparent } })
    t.equal(answer.headers.get('traceparent'), null, traceparent)
    const line = await completed(log, answer.headers.get('x-request-id') ?? '')
    t.notOk('traceparent' in line, traceparent)
  }
})

test('what a request causes names it in the log, and in the log alone', async (t) => {
  const app = await startApp(t)
  const { fetch, form, log, admin, makeClient, makeUser } = app
  const { id, secret } = await makeClient({ type: 'confidential', grantTypes: ['password'] })
  const { username, password, id: userId } = await makeUser()
  const ids = { wrong: 'wrong-1', right: 'right-1', client: 'client-1', admin: 'admin-1' }
  const ask = (requestId: string, own: Record<string, string>) =>
    form(
      '/token',
      { grant_type: 'password', client_id: id, client_secret: secret, username, password, ...own },
      { 'x-request-id': requestId },
    )
  await ask(ids.wrong, { password: 'not the one' })
  await ask(ids.client, { client_secret: 'not the one' })
  const login = (await (await ask(ids.right, {})).json()) as { access_token: string }
  t.ok(login.access_token)
  await fetch(`/admin/users/${userId}/sessions`, {
    method: 'DELETE',
    headers: { 'x-request-id': ids.admin, authorization: `Bearer ${await app.adminToken()}` },
  })
  const expected = [
    ['login.failed', ids.wrong],
    ['client.authentication_failed', ids.client],
    ['login.succeeded', ids.right],
    ['token.revoked', ids.admin],
  ]
  for (const [event, reqId] of expected)
    t.match(
      log.find((line) => line.event === event),
      { reqId },
    )
  const listed = await until('the trail', async () => {
    const text = await (await admin('GET', '/admin/events')).text()
    return text.includes('token.revoked') && text
  })
  for (const requestId of Object.values(ids)) t.notMatch(listed, requestId)
  // The budget of one pair is used up.
  for (let attempt = 0; attempt < 10; attempt += 1) await ask(ids.wrong, { password: 'no' })
  t.match(
    log.find(({ event }) => event === 'throttle.exhausted'),
    { reqId: ids.wrong },
  )
})

test('problem details name the request as the header and the log do, OAuth errors as ever', async (t) => {
  const { fetch, form, log } = await startApp(t)
  const refusals = [
    await fetch('/nowhere'),
    await fetch('/users/me'),
    await fetch('/verify/any'),
    await fetch('/users', {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: '{',
    }),
    await fetch('/users', { method: 'POST', headers: { 'content-type': 'text/plain' }, body: 'x' }),
    await fetch('/livez', { method: 'DELETE', headers: { 'x-request-id': 'mine-1' } }),
  ]
  for (const answer of refusals) {
    const problem = (await answer.json()) as { requestId?: string; code: string }
    const id = answer.headers.get('x-request-id') ?? ''
    t.match(answer.headers.get('content-type'), 'application/problem+json', problem.code)
    t.ok(id, problem.code)
    t.equal(problem.requestId, id, problem.code)
    await completed(log, id)
  }
  const refused = (await (await form('/token', { grant_type: 'x' })).json()) as object
  t.strictSame(Object.keys(refused), ['error', 'error_description'], 'RFC 6749 §5.2')
})

test('requests without an id get different ones', async (t) => {
  const { url } = await startApp(t)
  const ask = async () => (await exchange(url, write('POST /token', [FORM], '')))[0]
  const ids = [await ask(), await ask()].map((answer) => answer?.headers['x-request-id'])
  for (const id of ids) t.match(id, UUID)
  t.equal(new Set(ids).size, 2)
})
