// A refused client leaves a trace: who it was, where it came from, in the line and in the audit
// trail; and never what an unknown one called itself.

import { type Test, test } from 'tap'
import { logIn, startApp, type TestApp } from '../../support/app.ts'
import { readEvents, waitForEvent } from '../../support/audit.ts'
import { until } from '../../support/until.ts'

const FROM = { 'x-forwarded-for': '203.0.113.9', 'x-request-id': 'req-1' }
const UNKNOWN = 'somebody-typed-this'

async function open(t: Test) {
  const app = await startApp(t, { config: { trustProxy: ['127.0.0.0/8', '::1/128'] } })
  const machine = await app.makeClient({
    id: 'machine',
    type: 'confidential',
    grantTypes: ['client_credentials'],
    forwardsClientIp: true,
  })
  return { app, machine }
}

function refusalOf(app: TestApp) {
  return app.log.findLast(({ event }) => event === 'request.refused')
}

test('the line of a refusal names a client of ours, the source and the request', async (t) => {
  const { app, machine } = await open(t)
  const grant = { grant_type: 'client_credentials' }
  const line = async (parameters: Record<string, string>, headers: Record<string, string> = {}) => {
    await app.form('/token', { ...grant, ...parameters }, { ...FROM, ...headers })
    return refusalOf(app)
  }
  const where = { ip: '203.0.113.9', reqId: 'req-1', route: '/token' }
  const known = { clientId: 'machine', ...where }
  const wrong = { client_id: 'machine', client_secret: 'wrong' }
  t.match(await line(wrong), { reason: 'client_secret_wrong', ...known })
  t.match(
    await line(wrong, { 'lineage-client-ip': '198.51.100.7' }),
    known,
    'its word is not taken',
  )
  const right = { client_id: 'machine', client_secret: machine.secret }
  const scope = { reason: 'scope_not_allowed', clientId: 'machine' }
  t.match(await line({ ...right, scope: 'x' }), { ...scope, ...where })
  const forwarded = { 'lineage-client-ip': '198.51.100.7' }
  t.match(await line({ ...right, scope: 'x' }, forwarded), { ...scope, ip: '198.51.100.7' })
  const unknown = await line({ client_id: UNKNOWN, client_secret: UNKNOWN })
  t.match(unknown, { reason: 'client_unknown', ...where })
  t.notOk(unknown && 'clientId' in unknown)
  t.notMatch(JSON.stringify(app.log), UNKNOWN)
})

test('a token of ours that does not open a route is named by its client', async (t) => {
  const { app } = await open(t)
  const page = await app.makeClient({ id: 'page', audiences: ['https://auth.example.test'] })
  const { access_token: token } = await logIn(app, page, await app.makeUser())
  const headers = { ...FROM, authorization: `Bearer ${token}` }
  const where = { clientId: 'page', ip: '203.0.113.9', reqId: 'req-1' }
  await app.fetch('/admin/users', { headers })
  t.match(refusalOf(app), { reason: 'insufficient_scope', route: '/admin/users', ...where })
  await app.fetch('/verify?scope=more', { headers })
  t.match(refusalOf(app), { reason: 'scope_missing', route: '/verify', ...where })
  await app.fetch('/users/me', { headers: { ...FROM, authorization: 'Bearer x' } })
  t.notOk('clientId' in (refusalOf(app) ?? {}))
  t.match(refusalOf(app), { reason: 'invalid_token', ip: '203.0.113.9' })
})

test('refusals of a client are one event of the minute and source, which counts', async (t) => {
  const { app } = await open(t)
  const type = 'client.authentication_failed'
  const wrong = { client_id: 'machine', client_secret: 'wrong', token: 'x' }
  for (let count = 0; count < 6; count += 1) await app.form('/revoke', wrong, FROM)
  const events = await until('all of them', async () => {
    const found = await readEvents(app, `&type=${type}`)
    return found.reduce((sum, { detail }) => sum + Number(detail?.count), 0) === 6 && found
  })
  // Two if the minute turned meanwhile.
  t.ok(events.length <= 2, `${events.length} events`)
  for (const event of events) {
    t.match(event, { reason: 'client_secret_wrong', clientId: 'machine', ip: '203.0.113.9' })
  }
})

test('an unknown client is an event without a name; a good one is none', async (t) => {
  const { app, machine } = await open(t)
  await app.form('/introspect', { client_id: UNKNOWN, client_secret: 'x', token: 'x' })
  const event = await waitForEvent(app, 'client.authentication_failed')
  t.match(event, { reason: 'client_unknown', detail: { count: 1 } })
  t.notOk('clientId' in event)
  t.notMatch(JSON.stringify(await readEvents(app)), UNKNOWN)
  const good = { client_id: 'machine', client_secret: machine.secret, token: 'x' }
  t.equal((await app.form('/introspect', good)).status, 200)
  t.equal((await app.form('/introspect', { ...good, token: '' })).status, 400)
  // The order of events is that of their requests: a later one is there, so an earlier would be.
  await app.makeClient({ id: 'later' })
  await waitForEvent(app, 'client.created', { clientId: 'later' })
  t.equal((await readEvents(app, '&type=client.authentication_failed')).length, 1)
})
