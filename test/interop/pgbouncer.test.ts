// A real PgBouncer that gives every transaction another connection to the server: the whole service
// behind it, on a database with somebody else's defaults.

import { spawn } from 'node:child_process'
import { chmodSync, existsSync, writeFileSync } from 'node:fs'
import { connect } from 'node:net'
import { join } from 'node:path'
import { type Test, test } from 'tap'
import { findFreePort } from '../../src/embedded/free-port.ts'
import { logIn, startApp } from '../support/app.ts'
import { installDebianPackages } from '../support/debian-packages.ts'
import { openEmptyDatabase, runAsAdmin } from '../support/postgres.ts'
import { makeServerDir } from '../support/temp-dir.ts'
import { until } from '../support/until.ts'

const PGBOUNCER = '/usr/sbin/pgbouncer'

/** In transaction mode, with fewer connections to the server than come in; the URL through it. */
async function startPgBouncer(t: Test, url: string): Promise<URL> {
  if (!existsSync(PGBOUNCER)) installDebianPackages(['pgbouncer'])
  if (!existsSync(PGBOUNCER)) throw new Error(`the test needs PgBouncer at ${PGBOUNCER}`)
  const pooled = new URL(url)
  const { username, password, hostname, port: serverPort } = pooled
  const port = await findFreePort()
  const home = makeServerDir()
  const [users, settings] = [join(home, 'users.txt'), join(home, 'pgbouncer.ini')]
  writeFileSync(users, `"${username}" "${decodeURIComponent(password)}"\n`)
  writeFileSync(
    settings,
    `[databases]
* = host=${hostname} port=${serverPort || 5432}
[pgbouncer]
listen_addr = 127.0.0.1
listen_port = ${port}
unix_socket_dir =
auth_type = plain
auth_file = ${users}
pool_mode = transaction
default_pool_size = 3
`,
  )
  for (const file of [users, settings]) chmodSync(file, 0o644)
  const asNobody = process.getuid?.() === 0 ? ['-u', 'nobody'] : []
  const child = spawn(PGBOUNCER, ['-q', ...asNobody, settings], { stdio: 'ignore' })
  t.teardown(() => void child.kill('SIGKILL'))
  await until('PgBouncer', () => isOpen(port))
  pooled.host = `127.0.0.1:${port}`
  return pooled
}

function isOpen(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1')
    socket.on('connect', () => resolve(true)).on('error', () => resolve(false))
    socket.on('connect', () => socket.destroy())
  })
}

test('behind PgBouncer in transaction mode everything is as without it', async (t) => {
  const { url } = await openEmptyDatabase(t)
  const name = new URL(url).pathname.slice(1)
  await runAsAdmin(url, `ALTER DATABASE ${name} SET timezone = 'America/St_Johns'`)
  const pooled = await startPgBouncer(t, url)
  pooled.searchParams.set('schema', 'own')
  const nowMs = Date.UTC(2026, 2, 29, 2, 30)
  const app = await startApp(t, { beside: { databaseUrl: pooled.href }, clock: () => nowMs })
  const client = await app.makeClient({})
  const user = await app.makeUser()
  const tokens = await Promise.all([1, 2, 3, 4].map(() => logIn(app, client, user)))
  const refreshes = tokens.map(({ refresh_token }) =>
    app.form('/token', { grant_type: 'refresh_token', client_id: client.id, refresh_token }),
  )
  for (const answer of await Promise.all(refreshes)) t.equal(answer.status, 200)
  const changed = await app.admin('PATCH', `/admin/users/${user.id}`, { roles: ['staff'] })
  t.match(await changed.json(), { createdAt: new Date(nowMs).toISOString(), roles: ['staff'] })
  // Under an advisory lock.
  t.equal((await app.admin('POST', '/admin/keys/rotate', {})).status, 201)
  const tables = `SELECT DISTINCT schemaname FROM pg_tables WHERE tablename = 'users'`
  t.strictSame(await runAsAdmin(url, tables), [{ schemaname: 'own' }])
})
