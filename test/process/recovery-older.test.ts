// A database from before: what happened since has no witness any more, so sessions are ended by hand
// and a Redis that knows more is emptied, as docs/operations.md says.

import { test } from 'tap'
import { answerOf, copyDatabase, copySnapshot, stopService } from '../scenes/recovery-scene.ts'
import { logIn } from '../support/app.ts'
import { type LineageProcess, serverEnvironment, startLineage } from '../support/lineage-process.ts'
import { openTestDatabase } from '../support/postgres.ts'
import { startRedis } from '../support/redis.ts'

const REFUSED = '400 invalid_grant'

test('back to an earlier moment: sessions of then live again until they are ended', async (t) => {
  const [live, redis] = await Promise.all([openTestDatabase(t), startRedis(t)])
  const first = await startLineage(t, serverEnvironment(live.url, redis.url))
  const client = await first.makeClient({})
  const user = await first.makeUser()
  const session = await logIn(first, client, user)
  const redisBackup = await copySnapshot(t, redis)
  await stopService(t, first)
  const olderUrl = await copyDatabase(t, live.url)

  const second = await startLineage(t, serverEnvironment(live.url, redis.url))
  const password = 'another battery staple'
  await second.admin('PUT', `/admin/users/${user.id}/password`, { password })
  t.equal((await answerOf(second, client, session.refresh_token)).said, REFUSED)
  const later = await logIn(second, client, { ...user, password })
  await stopService(t, second)

  await t.test('with the Redis of then, which a snapshot brings back', async (t) => {
    const older = await redisBackup.restore(t)
    const service = await startLineage(t, serverEnvironment(olderUrl, older.url))
    t.strictSame((await service.readiness()).body.status, 'ok')
    const revived = await answerOf(service, client, session.refresh_token)
    t.equal(revived.said, '200', 'nobody knows that it was ended')
    t.equal((await answerOf(service, client, later.refresh_token)).said, REFUSED)
    await endAllSessions(service)
    t.equal((await answerOf(service, client, revived.next)).said, REFUSED)
    const { refresh_token: token } = await logIn(service, client, user)
    t.equal((await answerOf(service, client, token)).said, '200')
    await stopService(t, service)
  })

  await t.test('with the Redis of now, emptied', async (t) => {
    await redis.cli('FLUSHALL')
    const service = await startLineage(t, serverEnvironment(olderUrl, redis.url))
    for (const { refresh_token: token } of [session, later]) {
      t.equal((await answerOf(service, client, token)).said, REFUSED)
    }
    const { refresh_token: token } = await logIn(service, client, user)
    t.equal((await answerOf(service, client, token)).said, '200')
  })
})

/** The loop of docs/operations.md. */
async function endAllSessions(service: LineageProcess): Promise<void> {
  const answer = await service.admin('GET', '/admin/clients?limit=200')
  const { items } = (await answer.json()) as { items: { id: string }[] }
  for (const { id } of items) await service.admin('DELETE', `/admin/clients/${id}/sessions`)
}
