// The release before this one and this one as two processes on one PostgreSQL, on the schema of the
// newer: an upgrade replaces one instance after the other. Sessions in Redis they do not share.

import { test } from 'tap'
import { answerOf, query, stopService } from '../scenes/recovery-scene.ts'
import { checkOutBefore } from '../scenes/releases.ts'
import { logIn } from '../support/app.ts'
import {
  type LineageProcess,
  refresh,
  serverEnvironment,
  startLineage,
} from '../support/lineage-process.ts'
import { openEmptyDatabase } from '../support/postgres.ts'
import { startRedis } from '../support/redis.ts'
import { until } from '../support/until.ts'

/** What this release has added to the schema. */
const LATER_MIGRATIONS = `SELECT migration_name FROM _prisma_migrations
  WHERE migration_name > '20261101120000_events'`

async function statusOfVerify(service: LineageProcess, token: string): Promise<number> {
  const headers = { authorization: `Bearer ${token}` }
  return (await service.fetch('/verify', { headers })).status
}

test('the release before and this one serve one database together', async (t) => {
  const root = checkOutBefore(t)
  if (!root) {
    t.comment('no history here: the release before was not run')
    t.pass('what else holds is in test/database/migrations.test.ts: a newer migration is fine')
    return
  }
  const { url } = await openEmptyDatabase(t)
  const env = serverEnvironment(url)
  const older = await startLineage(t, env, { root })
  const [client, ada, bob] = [
    await older.makeClient({}),
    await older.makeUser(),
    await older.makeUser(),
  ]
  const early = await logIn(older, client, ada)
  t.strictSame(await query(url, LATER_MIGRATIONS), [], 'the older schema')

  const newer = await startLineage(t, env)
  t.not((await query(url, LATER_MIGRATIONS)).length, 0, 'the newer has migrated under the older')
  const other = (service: LineageProcess) => (service === older ? newer : older)

  const moved = await answerOf(newer, client, early.refresh_token)
  t.equal(moved.said, '200', 'a session from before goes on at the newer')
  t.equal((await answerOf(older, client, moved.next)).said, '200', 'and back at the older')

  for (const [name, service] of Object.entries({ older, newer })) {
    const login = await logIn(service, client, ada)
    t.equal(await statusOfVerify(other(service), login.access_token), 200, `in at the ${name}`)
    const next = await answerOf(other(service), client, login.refresh_token)
    t.equal(next.said, '200')
    const again = await answerOf(service, client, next.next)
    t.equal(again.said, '200')
    const form = { client_id: client.id, token: again.next }
    t.equal((await service.form('/revoke', form)).status, 200)
    t.equal(await statusOfVerify(other(service), again.access), 401, `out at the ${name}`)
    t.equal((await refresh(other(service), client, again.next)).status, 400)
  }

  for (const [service, user] of [
    [older, ada],
    [newer, bob],
  ] as const) {
    const login = await logIn(other(service), client, user)
    const patch = { status: 'disabled' }
    t.equal((await service.admin('PATCH', `/admin/users/${user.id}`, patch)).status, 200)
    t.equal((await refresh(other(service), client, login.refresh_token)).status, 400)
    t.equal(await statusOfVerify(other(service), login.access_token), 401)
    await t.rejects(logIn(other(service), client, user), 'nor by a login')
  }

  // A restart of the older finds a schema that it does not know, and a journal with newer kinds.
  await stopService(t, older)
  await stopService(t, newer)
  const back = await startLineage(t, { ...env, LINEAGE_MIGRATE: 'check' }, { root })
  const carol = await back.makeUser()
  await until('a login there', () => logIn(back, client, carol).catch(() => undefined))
})

test('with sessions in Redis each release keeps its own, and what ends them ends both', async (t) => {
  const root = checkOutBefore(t)
  if (!root) {
    t.pass('no history: the release before was not run')
    return
  }
  const [{ url }, redis] = await Promise.all([openEmptyDatabase(t), startRedis(t)])
  const env = serverEnvironment(url, redis.url)
  const older = await startLineage(t, env, { root })
  const [client, user] = [await older.makeClient({}), await older.makeUser()]
  const early = await logIn(older, client, user)
  const newer = await startLineage(t, env)
  t.equal((await refresh(newer, client, early.refresh_token)).status, 400, 'log in again')
  const login = await logIn(newer, client, user)
  const moved = await answerOf(older, client, early.refresh_token)
  t.equal(moved.said, '200', 'and the older goes on with its own')

  const patch = { status: 'disabled' }
  t.equal((await older.admin('PATCH', `/admin/users/${user.id}`, patch)).status, 200)
  t.equal((await refresh(older, client, moved.next)).status, 400)
  await until('the end at the newer', async () => {
    return (await refresh(newer, client, login.refresh_token)).status === 400
  })
})
