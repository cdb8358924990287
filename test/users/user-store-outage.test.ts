// A PostgreSQL that is away, hangs or holds a lock is DependencyUnavailable, and service comes back
// with it (docs/semantics.md §12).

import { test } from 'tap'
import { journalUserChange } from '../../src/families/postgres/postgres-journal.ts'
import { systemClock } from '../../src/runtime/clock.ts'
import { openUserStore } from '../../src/users/user-store.ts'
import { newUser, openUserFixture } from '../scenes/user-fixture.ts'
import { openReadyDatabase } from '../support/database.ts'
import { startPostgres } from '../support/postgres.ts'

const AWAY = { name: 'DependencyUnavailable', dependency: 'postgresql' }

test('every method says DependencyUnavailable while PostgreSQL is away', async (t) => {
  const server = await startPostgres(t)
  const database = await openReadyDatabase(t, server.url)
  const users = openUserStore({
    prisma: database.prisma,
    clock: systemClock,
    journalChange: journalUserChange,
    forgetUser: async () => {},
    publishChange: async () => {},
  })
  const { id } = await users.create(newUser('alice'))
  const methods = {
    create: () => users.create(newUser('bob')),
    findById: () => users.findById(id),
    findForLogin: () => users.findForLogin({ usernameKey: 'alice' }),
    list: () => users.list({}, { limit: 1, after: undefined }),
    patch: () => users.patch(id, { roles: [String(Math.random())] }),
    setPassword: () => users.setPassword(id, 'hash'),
    replaceHash: () => users.replaceHash(id, 'a', 'b'),
    delete: () => users.delete(id),
    logoutEverywhere: () => users.logoutEverywhere(id),
    loadRecord: () => users.loadRecord(id),
  }
  const allAway = async (how: string) => {
    const refused = Object.entries(methods).map(([name, call]) =>
      t.rejects(call as () => Promise<void>, AWAY, `${name} while the server ${how}`),
    )
    await Promise.all(refused)
  }

  await Promise.all(Array.from({ length: 10 }, methods.findById))
  await server.stop()
  await allAway('is stopped')
  await allAway('is still stopped')
  await server.start()
  t.ok(await users.findById(id))

  server.pause()
  await allAway('hangs')
  server.resume()
  t.match(await users.loadRecord(id), { userId: id })

  const holder = await database.pool.connect()
  await holder.query('BEGIN')
  await holder.query('SELECT 1 FROM users FOR UPDATE')
  await t.rejects(methods.setPassword(), AWAY, 'a row that is held too long')
  await holder.query('ROLLBACK')
  holder.release()
  t.equal(await methods.setPassword(), true)
})

test('what the server kills in the middle is DependencyUnavailable', async (t) => {
  const { users, database } = await openUserFixture(t)
  const { id } = await users.create(newUser('alice'))
  const holder = await database.pool.connect()
  await holder.query('BEGIN')
  await holder.query('LOCK TABLE users')
  const blocked = [users.findById(id), users.logoutEverywhere(id).then(() => undefined)]
  let isOver = false
  const refused = Promise.all(blocked.map((call) => t.rejects(call, AWAY))).then(() => {
    isOver = true
  })
  // On a machine so slow that the deadline comes first, that one is what is seen.
  for (let waiting = 0; waiting < blocked.length && !isOver; ) {
    // Not over the holder: its transaction sees one snapshot of the activity.
    const { rowCount } = await database.pool.query(
      `SELECT FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND datname = current_database()`,
    )
    waiting = rowCount ?? 0
  }
  await database.pool.query(
    `SELECT pg_terminate_backend(pid) FROM pg_stat_activity
     WHERE wait_event_type = 'Lock' AND datname = current_database()`,
  )
  await refused
  await holder.query('ROLLBACK')
  holder.release()
})
