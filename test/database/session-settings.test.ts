// Somebody else's defaults: whatever the server, the database or the role say, times, rows and tables
// are where they belong.

import { type Test, test } from 'tap'
import { openDatabase } from '../../src/database/database.ts'
import { startApp, type TestApp } from '../support/app.ts'
import { openEmptyDatabase, runAsAdmin } from '../support/postgres.ts'

/** In Berlin there is no half past two on this night. */
const NOW = Date.UTC(2026, 2, 29, 2, 30)

const HOSTILE: Readonly<Record<string, { defaults: string[]; schema?: string }>> = {
  'a zone in the west, German dates, serializable': {
    defaults: [
      `timezone = 'America/St_Johns'`,
      `datestyle = 'German, DMY'`,
      `default_transaction_isolation = 'serializable'`,
      'default_transaction_deferrable = on',
    ],
  },
  'a zone with a gap, repeatable read, another encoding at the client': {
    defaults: [
      `timezone = 'Europe/Berlin'`,
      `datestyle = 'SQL, DMY'`,
      `intervalstyle = 'sql_standard'`,
      `default_transaction_isolation = 'repeatable read'`,
      `client_encoding = 'LATIN1'`,
      `bytea_output = 'escape'`,
      'extra_float_digits = -15',
    ],
  },
  'a zone in the east, no time at all, a schema and a path of their own': {
    defaults: [
      `timezone = 'Pacific/Kiritimati'`,
      `search_path = 'elsewhere, "$user", public'`,
      'standard_conforming_strings = off',
      `lock_timeout = '1ms'`,
      `idle_in_transaction_session_timeout = '1ms'`,
    ],
    schema: 'Lineage of its own',
  },
}

for (const [what, { defaults, schema }] of Object.entries(HOSTILE)) {
  test(`right under ${what}`, async (t) => {
    const { url } = await openEmptyDatabase(t)
    const name = new URL(url).pathname.slice(1)
    await runAsAdmin(url, 'CREATE SCHEMA elsewhere')
    for (const setting of defaults) await runAsAdmin(url, `ALTER DATABASE ${name} SET ${setting}`)
    const databaseUrl = schema ? `${url}?schema=${encodeURIComponent(schema)}` : url
    let nowMs = NOW
    const app = await startApp(t, { beside: { databaseUrl }, clock: () => nowMs })
    await checkUsers(t, app)
    await checkEvents(t, app)
    await checkSessions(t, app, () => {
      nowMs += 1_000
    })
    await checkTables(t, url, schema ?? 'public')
  })
}

test('neither an idle connection nor a long migration is ended by the clock', async (t) => {
  const { url } = await openEmptyDatabase(t)
  const name = new URL(url).pathname.slice(1)
  const timeouts = ['idle_session_timeout', 'transaction_timeout']
  for (const timeout of timeouts) {
    await runAsAdmin(url, `ALTER DATABASE ${name} SET ${timeout} = '1h'`)
    t.match(await runAsAdmin(url, `SHOW ${timeout}`), [{ [timeout]: '1h' }])
  }
  const database = openDatabase(url)
  t.teardown(() => database.close())
  for (const timeout of timeouts) {
    t.match((await database.pool.query(`SHOW ${timeout}`)).rows, [{ [timeout]: '0' }])
  }
})

async function checkUsers(t: Test, app: TestApp): Promise<void> {
  const { id } = await app.makeUser({ username: 'Žofie', email: 'zofie@example.test' })
  const one = (await (await app.admin('GET', `/admin/users/${id}`)).json()) as { createdAt: string }
  t.equal(one.createdAt, new Date(NOW).toISOString())
  const found = await app.admin('GET', `/admin/users?username=${encodeURIComponent('žofie')}`)
  t.match(await found.json(), { items: [{ id, username: 'Žofie' }] })
  t.match(await (await app.admin('GET', '/admin/users?limit=1')).json(), { items: [{ id }] })
  const patch = async (number: number): Promise<number> => {
    const roles = [`role-${number}`]
    const { status } = await app.admin('PATCH', `/admin/users/${id}`, { roles })
    // A busy machine may be too slow for one row's queue, and says so.
    return status === 503 ? await patch(number) : status
  }
  t.strictSame(await Promise.all([1, 2, 3, 4].map(patch)), [200, 200, 200, 200])
}

async function checkEvents(t: Test, app: TestApp): Promise<void> {
  const at = (ms: number) => encodeURIComponent(new Date(NOW + ms).toISOString())
  const count = async (query: string) => {
    const answer = await app.admin('GET', `/admin/events?type=user.created&${query}`)
    return ((await answer.json()) as { items: unknown[] }).items.length
  }
  while ((await count(`since=${at(0)}&until=${at(1)}`)) === 0);
  t.equal(await count(`since=${at(1)}`), 0)
  t.equal(await count(`until=${at(0)}`), 0)
}

/** What ends a client's sessions must not end those that begin a moment later. */
async function checkSessions(t: Test, app: TestApp, aSecond: () => void): Promise<void> {
  const client = await app.makeClient({})
  const user = await app.makeUser()
  const ended = await app.admin('DELETE', `/admin/clients/${client.id}/sessions`)
  t.equal(ended.status, 204)
  aSecond()
  const { username, password } = user
  const credentials = { grant_type: 'password', client_id: client.id, username, password }
  const login = await app.form('/token', credentials)
  t.equal(login.status, 200)
  const { refresh_token } = (await login.json()) as { refresh_token: string }
  aSecond()
  const parameters = { grant_type: 'refresh_token', client_id: client.id, refresh_token }
  t.equal((await app.form('/token', parameters)).status, 200)
}

async function checkTables(t: Test, url: string, schema: string): Promise<void> {
  const rows = await runAsAdmin(
    url,
    `SELECT DISTINCT schemaname FROM pg_tables
     WHERE schemaname NOT IN ('pg_catalog', 'information_schema')`,
  )
  t.strictSame(rows, [{ schemaname: schema }])
}

for (const encoding of ['LATIN1', 'SQL_ASCII']) {
  test(`a database in ${encoding} stops the start with one line`, async (t) => {
    const { url } = await openEmptyDatabase(t, encoding)
    await t.rejects(startApp(t, { beside: { databaseUrl: url } }), {
      name: 'StartError',
      message: new RegExp(`^the database is encoded in ${encoding},.*createdb --encoding=UTF8`),
    })
  })
}
