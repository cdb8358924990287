// What callers see when there are more refreshes than can be under way.

import { once } from 'node:events'
import { connect } from 'node:net'
import { type Test, test } from 'tap'
import { REFRESHES_MAX } from '../../src/admission/refresh-slots.ts'
import { startApp } from '../support/app.ts'
import { until } from '../support/until.ts'

async function openScene(t: Test) {
  const app = await startApp(t)
  const [user, client] = [await app.makeUser(), await app.makeClient({})]
  const form = { client_id: client.id, grant_type: 'refresh_token' }
  const { username, password } = user
  const login = { ...form, grant_type: 'password', username, password }
  const tokens = (await (await app.form('/token', login)).json()) as { refresh_token: string }
  return { app, login, refresh: { ...form, refresh_token: tokens.refresh_token } }
}

/** Takes the places of all refreshes, until the function that it returns is called. */
function takeAllPlaces({ service }: Awaited<ReturnType<typeof openScene>>['app']): () => void {
  let letGo = () => {}
  const held = new Promise<void>((resolve) => {
    letGo = resolve
  })
  const work = { begin: () => held, hasLeft: () => false }
  for (let count = 0; count < REFRESHES_MAX; count += 1) void service.admission.run('refresh', work)
  return letGo
}

test('refreshes that do not come to their turn are 503 with Retry-After, and work afterwards', async (t) => {
  const { app, login, refresh } = await openScene(t)
  const letGo = takeAllPlaces(app)
  const refused = await app.form('/token', refresh)
  t.equal(refused.status, 503)
  t.ok(Number(refused.headers.get('retry-after')) >= 1)
  t.match(await refused.json(), { error: 'temporarily_unavailable' })
  t.equal((await app.form('/token', login)).status, 200, 'a login takes no place of theirs')
  letGo()
  t.equal((await app.form('/token', refresh)).status, 200)
  t.notOk(
    app.log.some(({ event }) => event === 'refresh.retried'),
    'nothing was changed before',
  )
  t.ok(app.log.some(({ reason }) => reason === 'overloaded'))
  const line = await until('its line', () => app.log.find(({ event }) => event === 'load.shed'))
  t.equal(line.refresh, 1)
  const exposed = await (await app.fetch('/metrics')).text()
  t.match(exposed, /^lineage_shed_total\{class="refresh"\} 1$/m)
  t.match(exposed, /^lineage_shed_total\{class="login"\} 0$/m)
})

test('a refresh whose caller hangs up while it waits is never carried out', async (t) => {
  const { app, refresh } = await openScene(t)
  const letGo = takeAllPlaces(app)
  const { hostname, port } = new URL(app.url)
  const socket = connect(Number(port), hostname)
  await once(socket, 'connect')
  const body = new URLSearchParams(refresh).toString()
  socket.write(
    'POST /token HTTP/1.1\r\nhost: x\r\ncontent-type: application/x-www-form-urlencoded\r\n' +
      `content-length: ${body.length}\r\n\r\n${body}`,
  )
  // It has come to its turn on the connection, or the line below would not say what it asked for.
  await once(app.app.server, 'request')
  socket.destroy()
  const line = await until('its line', () =>
    app.log.find(({ event }) => event === 'request.abandoned'),
  )
  t.equal(line.grant, 'refresh_token')
  letGo()
  t.equal((await app.form('/token', refresh)).status, 200)
  t.notOk(
    app.log.some(({ event }) => event === 'refresh.retried'),
    'it was not rotated before',
  )
  t.notOk(app.log.some(({ reason }) => reason === 'overloaded'))
  const exposed = await (await app.fetch('/metrics')).text()
  t.match(exposed, /^lineage_shed_total\{class="refresh"\} 0$/m)
  t.match(
    exposed,
    /request_duration_seconds_count\{route="\/token",method="POST",status_class="none"\} 1$/m,
  )
})
