// SIGTERM against the real process: what is under way ends well, what is new goes elsewhere
// (docs/semantics.md §13).

import { once } from 'node:events'
import { Agent, get, type IncomingMessage } from 'node:http'
import { type Test, test } from 'tap'
import { holdLogin, isRefused } from '../scenes/held-login.ts'
import {
  type Environment,
  type LineageProcess,
  serverEnvironment,
  startLineage,
} from '../support/lineage-process.ts'
import { openTestDatabase } from '../support/postgres.ts'
import { until } from '../support/until.ts'

async function start(t: Test, env: Environment = {}): Promise<LineageProcess> {
  return await startLineage(t, { ...serverEnvironment((await openTestDatabase(t)).url), ...env })
}

test('SIGTERM lets a login that is under way end, and closes its connection', async (t) => {
  const service = await start(t)
  const held = await holdLogin(t, service)
  service.signal('SIGTERM')
  await until('a closed listener', () => isRefused(service.port))
  const answer = await held.finish()
  const [, head = '', body = ''] = answer.split('\r\n\r\n')
  t.match(head, /^HTTP\/1\.1 200 /)
  t.match(head, /^connection: close$/im)
  t.match(body, /"refresh_token":"lrt_/)
  t.strictSame(await service.exited, { code: 0, signal: null })
  t.strictSame(service.stderr, [])
  t.equal(service.log('service.stopped').length, 1)
})

test('during the delay /readyz says draining, everything is still served, and no connection is kept', async (t) => {
  const service = await start(t, { LINEAGE_SHUTDOWN_DELAY_SECONDS: '2' })
  const client = await service.makeClient({
    type: 'confidential',
    grantTypes: ['client_credentials'],
  })
  service.signal('SIGTERM')
  await service.logged('service.stopping')
  const { code, body } = await service.readiness()
  t.equal(code, 503)
  t.equal(body.status, 'draining')
  const answer = await service.form('/token', {
    grant_type: 'client_credentials',
    client_id: client.id,
    client_secret: client.secret,
  })
  t.equal(answer.status, 200)
  t.equal(answer.headers.get('connection'), 'close', 'by the front')
  const page = await service.fetch('/.well-known/oauth-authorization-server')
  t.equal(page.headers.get('connection'), 'close', 'and by Fastify')
  t.strictSame(await service.exited, { code: 0, signal: null })
  const [stopping, stopped] = ['service.stopping', 'service.stopped'].map((event) =>
    Date.parse(String(service.log(event)[0]?.time)),
  )
  t.ok(Number(stopped) - Number(stopping) >= 1_990, 'the whole delay passed')
  t.ok(await isRefused(service.port), 'and then nobody listens')
})

test('an idle keep-alive connection does not hold the exit', async (t) => {
  const service = await start(t)
  const agent = new Agent({ keepAlive: true })
  t.teardown(() => agent.destroy())
  const request = get(`${service.url}/livez`, { agent })
  const [response] = (await once(request, 'response')) as [IncomingMessage]
  response.resume()
  await once(response, 'end')
  t.not(response.headers.connection, 'close', 'it is kept alive')
  service.signal('SIGTERM')
  t.strictSame(await service.exited, { code: 0, signal: null })
})

test('a second signal ends the process at once, whatever is under way', async (t) => {
  const service = await start(t)
  await holdLogin(t, service)
  service.signal('SIGTERM')
  await service.logged('service.stopping')
  service.signal('SIGTERM')
  t.strictSame(await service.exited, { code: 1, signal: null })
  t.equal(service.log('service.stop_forced').length, 1)
})
