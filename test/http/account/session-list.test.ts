// The list of sessions of a user who has had very many: pages, filters and the newest 200 ended
// ones, in whatever way they ended.

import { type Test, test } from 'tap'
import { openDatabase } from '../../../src/database/database.ts'
import type { Clock } from '../../../src/runtime/clock.ts'
import { logIn, startApp, type TestApp } from '../../support/app.ts'

interface Session {
  readonly id: string
  readonly status: string
  readonly createdAt: string
  readonly endedReason?: string
}

interface Page {
  readonly items: Session[]
  readonly nextCursor: string | null
}

const ENDED = 250

/** Ended sessions of a user, a second apart, the last of them a minute ago. */
async function seedEnded(app: TestApp, userId: string, clientId: string): Promise<void> {
  const database = openDatabase(app.databaseUrl)
  const lastMs = Date.now() - 60_000
  await database.pool.query(
    `INSERT INTO families (id, user_id, client_id, scope, audience, secret_hash, generation, epoch,
       created_at_ms, rotated_at_ms, idle_expires_at_ms, absolute_expires_at_ms, ip, user_agent,
       ended_at_ms, ended_reason)
     SELECT gen_random_uuid(), $1, $2, '{}', '{}', 'x', 0, 0, at, at, at + 86400000, at + 86400000,
       '', '', at + 1, 'revoked_by_user'
     FROM (SELECT $3::bigint - 1000 * i AS at FROM generate_series(0, $4 - 1) i) ages`,
    [userId, clientId, lastMs, ENDED],
  )
  await database.close()
}

async function openScene(t: Test, clock?: Clock) {
  const app = await startApp(t, clock ? { clock } : {})
  const client = await app.makeClient({})
  const user = await app.makeUser()
  const sessions = `/admin/users/${user.id}/sessions`
  const page = async (query: string) =>
    (await (await app.admin('GET', `${sessions}?${query}`)).json()) as Page
  return { app, client, user, sessions, page }
}

test('every page follows the one before, and the newest 200 ended ones are on them', async (t) => {
  const { app, client, user, page } = await openScene(t)
  await logIn(app, client, user)
  await seedEnded(app, user.id, client.id)
  await logIn(app, client, user)

  const found: Session[] = []
  for (let cursor: string | null = ''; cursor !== null; ) {
    const next = await page(`limit=37${cursor && `&cursor=${cursor}`}`)
    t.ok(next.items.length === 37 || next.nextCursor === null, 'only the last page is shorter')
    found.push(...next.items)
    cursor = next.nextCursor
  }
  t.equal(new Set(found.map(({ id }) => id)).size, 202)
  const ages = found.map(({ createdAt }) => createdAt)
  t.strictSame(ages, ages.toSorted(), 'oldest first')
  t.match(found.slice(-2), [{ status: 'active' }, { status: 'active' }])
  t.strictSame((await page('status=ended&limit=200')).items, found.slice(0, 200))
  t.strictSame((await page('status=active&limit=1')).items, found.slice(200, 201))
  const [last] = found.slice(-1)
  t.strictSame((await page(`status=active&limit=2`)).items.at(-1), last)
})

test('sessions that died unnoticed push the oldest ended ones out', async (t) => {
  // By PostgreSQL's clock, the end of a client's sessions may be dated a round trip too late, and so
  // after an end that followed it at once.
  let nowMs = Date.now()
  const { app, client, user, sessions, page } = await openScene(t, () => nowMs)
  await seedEnded(app, user.id, client.id)
  const other = await app.makeClient({})
  await logIn(app, client, user)
  nowMs += 1_000
  await logIn(app, other, user)
  nowMs += 1_000
  await app.admin('DELETE', `/admin/clients/${other.id}/sessions`)
  const before = (await page('limit=200&status=ended')).items
  t.equal(before.length, 200)
  t.match(before.at(-1), { endedReason: 'client_sessions_ended' })

  nowMs += 1_000
  await app.admin('DELETE', sessions)
  const after = (await page('limit=200')).items
  t.equal(after.length, 200)
  t.match(after.slice(-2), [
    { endedReason: 'logged_out_everywhere' },
    { endedReason: 'client_sessions_ended' },
  ])
  t.strictSame(after.slice(0, 198), before.slice(1, 199))
})

test('a session that is not listed any more is ended like any other', async (t) => {
  const { app, client, user, sessions, page } = await openScene(t)
  const { refresh_token: token } = await logIn(app, client, user)
  const [first] = (await page('')).items
  const path = `${sessions}/${first?.id}`
  t.equal((await app.admin('DELETE', path)).status, 204)
  const database = openDatabase(app.databaseUrl)
  await database.pool.query('UPDATE families SET created_at_ms = created_at_ms - 86400000')
  await database.close()
  await seedEnded(app, user.id, client.id)
  t.notOk((await page('limit=200')).items.some(({ id }) => id === first?.id))
  t.equal((await app.admin('DELETE', path)).status, 204)
  const form = { grant_type: 'refresh_token', client_id: client.id, refresh_token: token }
  t.equal((await app.form('/token', form)).status, 400)
  t.ok(
    app.log.some((line) => line.reason === 'refresh_family_ended'),
    'and known by its id',
  )
})
