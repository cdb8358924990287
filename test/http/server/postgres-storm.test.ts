// PostgreSQL that dies, restarts and ends connections under load, with the families in it: an answer is
// the right one or 503, and nothing that Prisma or the driver says becomes a 500.

import { randomUUID } from 'node:crypto'
import { test } from 'tap'
import { runStorm, type Tally } from '../../scenes/storm-scene.ts'
import { startApp, type TestApp } from '../../support/app.ts'
import { runAsAdmin, startPostgres, type TestPostgres } from '../../support/postgres.ts'

const ALLOWED: readonly number[] = [200, 201, 204, 400, 401, 404, 409, 503]
const MET = ['login', 'refresh', 'creation', 'change']

/** One user, whose calls follow each other until the storm is over. */
async function live(app: TestApp, clientId: string, tally: Tally, isOver: () => boolean) {
  const user = await app.makeUser()
  const client = { client_id: clientId }
  const credentials = { username: user.username, password: user.password }
  let [access, refresh] = ['none', 'none']
  for (let round = 0; !isOver(); round += 1) {
    const login = { ...client, grant_type: 'password', ...credentials }
    const tokens = await tally.note('login', app.form('/token', login))
    access = tokens.access_token ?? access
    refresh = tokens.refresh_token ?? refresh
    const headers = { authorization: `Bearer ${access}` }
    const rotation = { ...client, grant_type: 'refresh_token', refresh_token: refresh }
    const name = `u-${randomUUID()}`
    const newUser = { username: name, email: `${name}@example.test`, password: 'correct horse' }
    const path = `/admin/users/${user.id}`
    await Promise.all([
      tally.note('refresh', app.form('/token', rotation)),
      tally.note('verify', app.fetch('/verify', { headers })),
      tally.note('sessions', app.fetch('/users/me/sessions', { headers })),
      tally.note('creation', app.admin('POST', '/admin/users', newUser)),
      tally.note('change', app.admin('PATCH', path, { roles: [`round-${round}`] })),
      tally.note('list', app.admin('GET', '/admin/users?limit=5')),
      tally.note('revocation', app.form('/revoke', { ...client, token: access })),
      tally.note('readiness', app.fetch('/readyz')),
    ])
  }
}

/** What happens to PostgreSQL, step by step; answers are waited for in between. */
function disturbances(server: TestPostgres): (() => Promise<unknown>)[][] {
  const endConnections = () =>
    runAsAdmin(
      server.url,
      'SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE pid <> pg_backend_pid()',
    )
  return [
    [endConnections],
    [server.kill, server.start],
    [endConnections, endConnections],
    [server.stop, server.start],
    [server.kill, server.start],
  ]
}

test('no failure of PostgreSQL under load is a 500', async (t) => {
  const server = await startPostgres(t)
  const app = await startApp(t, { beside: { databaseUrl: server.url } })
  await runStorm(t, {
    app,
    users: 4,
    live: (clientId, tally, isOver) => live(app, clientId, tally, isOver),
    disturbances: disturbances(server),
    allowed: ALLOWED,
    met: MET,
  })
})
