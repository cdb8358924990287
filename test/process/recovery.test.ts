// Both stores lost and restored from their backups, Redis copied first as docs/operations.md says:
// what the copy of Redis lacks, PostgreSQL's journal and the tokens themselves bring back.

import { decodeProtectedHeader } from 'jose'
import { type Test, test } from 'tap'
import { answerOf, copyAof, copyDatabase, query, stopService } from '../scenes/recovery-scene.ts'
import { logIn } from '../support/app.ts'
import { type LineageProcess, serverEnvironment, startLineage } from '../support/lineage-process.ts'
import { openTestDatabase } from '../support/postgres.ts'
import { startRedis } from '../support/redis.ts'

const REFUSED = '400 invalid_grant'
const HOUR_MS = 60 * 60 * 1000

test('restored stores: what lived lives, what was revoked is revoked (C60, C61)', async (t) => {
  const [live, redis] = await Promise.all([openTestDatabase(t), startRedis(t)])
  const service = await startLineage(t, serverEnvironment(live.url, redis.url))
  const before = await makeLifeBefore(service)

  const redisBackup = await copyAof(t, redis)
  const after = await goOn(t, service, before)
  await stopService(t, service)
  // Older than what every new connection is given.
  await query(live.url, "UPDATE journal SET at = at - interval '1 hour'")
  const restoredUrl = await copyDatabase(t, live.url)
  await redis.cli('FLUSHALL')
  await redis.stop()

  const newRedis = await redisBackup.restore(t)
  // As if the copy were two hours old: it says itself how far in the journal it had come.
  await newRedis.cli('SET', 'lineage:{journal}:applied', String(Date.now() - 2 * HOUR_MS))
  const restored = await startLineage(t, serverEnvironment(restoredUrl, newRedis.url))
  await checkRestored(t, restored, before, after)
})

type Life = Awaited<ReturnType<typeof makeLifeBefore>>

async function makeLifeBefore(service: LineageProcess) {
  const client = await service.makeClient({})
  const watcher = await service.makeClient({
    type: 'confidential',
    grantTypes: ['client_credentials'],
    scopes: ['lineage:introspect'],
  })
  const [user, disabled, moved] = await Promise.all([1, 2, 3].map(() => service.makeUser()))
  if (!user || !disabled || !moved) throw new Error('three were made')
  const sessions = {
    untouched: await logIn(service, client, user),
    busy: await logIn(service, client, user),
    endedBefore: await logIn(service, client, user),
    endedAfter: await logIn(service, client, user),
    ofDisabled: await logIn(service, client, disabled),
    ofMoved: await logIn(service, client, moved),
  }
  const token = sessions.endedBefore.refresh_token
  await service.form('/revoke', { client_id: client.id, token })
  return { client, watcher, user, disabled, moved, sessions }
}

/** What happens between the copy of Redis and that of PostgreSQL. */
async function goOn(t: Test, service: LineageProcess, life: Life) {
  const { client, user, disabled, moved, sessions } = life
  const one = await answerOf(service, client, sessions.busy.refresh_token)
  const two = await answerOf(service, client, one.next)
  t.equal(two.said, '200')
  const token = sessions.endedAfter.refresh_token
  t.equal((await service.form('/revoke', { client_id: client.id, token })).status, 200)
  const disable = await service.admin('PATCH', `/admin/users/${disabled.id}`, {
    status: 'disabled',
  })
  t.equal(disable.status, 200)
  const password = 'another battery staple'
  const changed = await service.admin('PUT', `/admin/users/${moved.id}/password`, { password })
  t.equal(changed.status, 204)
  const later = await logIn(service, client, user)
  return { ahead: two, replayable: one.next, later, movedNow: { ...moved, password } }
}

async function checkRestored(
  t: Test,
  service: LineageProcess,
  { client, watcher, user, disabled, moved, sessions }: Life,
  { ahead, replayable, later, movedNow }: Awaited<ReturnType<typeof goOn>>,
): Promise<void> {
  const refreshed = async (token: string) => (await answerOf(service, client, token)).said
  const { kid } = decodeProtectedHeader(sessions.untouched.access_token)
  const now = await logIn(service, client, user)
  t.equal(decodeProtectedHeader(now.access_token).kid, kid, 'the same key signs')
  const credentials = { client_id: watcher.id, client_secret: watcher.secret }
  const token = sessions.untouched.access_token
  const answer = await service.form('/introspect', { ...credentials, token })
  t.match(await answer.json(), { active: true }, 'tokens of before are known')
  t.equal(await refreshed(sessions.untouched.refresh_token), '200')

  t.equal(await refreshed(ahead.next), '200', 'a token ahead of the store works')
  t.ok(await service.logged('families.store_behind'))
  t.equal(await refreshed(replayable), REFUSED, 'and what it replaced is a replay all the same')
  t.equal(await refreshed(ahead.next), REFUSED, 'that has ended the family')

  t.equal(await refreshed(sessions.endedBefore.refresh_token), REFUSED, 'revoked before the copy')
  t.equal(await refreshed(sessions.endedAfter.refresh_token), REFUSED, 'revoked after it')
  t.equal(await refreshed(sessions.ofDisabled.refresh_token), REFUSED, 'disabled after it')
  await t.rejects(logIn(service, client, disabled), /invalid_grant/)
  t.equal(await refreshed(sessions.ofMoved.refresh_token), REFUSED, 'a new password after it')
  await t.rejects(logIn(service, client, moved), /invalid_grant/, 'the old one is void')
  t.ok(await logIn(service, client, movedNow))
  t.equal(await refreshed(later.refresh_token), '200', 'a login after the copy, not long ago')
}
