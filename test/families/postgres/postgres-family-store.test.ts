// What only the PostgreSQL adapter has: its transactions on a pool, and its garbage. The rest is
// the contract, test/contract/postgres-family-store.test.ts.

import { type Test, test } from 'tap'
import type { Database } from '../../../src/database/database.ts'
import { inTransaction } from '../../../src/database/transaction.ts'
import { TOMBSTONE_SLACK_MS } from '../../../src/families/family.ts'
import { deleteExpired } from '../../../src/families/postgres/postgres-family-garbage.ts'
import { openPostgresFamilyStore } from '../../../src/families/postgres/postgres-family-store.ts'
import {
  ABSOLUTE_MS,
  ending,
  GRACE_MS,
  keeping,
  listAll,
  logIn,
  newUser,
  nextEpoch,
  read,
  rotateOn,
  rotation,
  T0,
} from '../../contract/family-bench.ts'
import { openReadyDatabase } from '../../support/database.ts'
import { openTestDatabase, startPostgres } from '../../support/postgres.ts'

async function openStore(t: Test, url: string) {
  const database = await openReadyDatabase(t, url)
  return { database, store: openPostgresFamilyStore(database, () => T0) }
}

const unavailable = { name: 'DependencyUnavailable', dependency: 'postgresql' }

/** The transactions that are open on the server, as another connection sees them. */
async function countOpenTransactions(database: Database): Promise<number> {
  const { rows } = await database.pool.query<{ count: number }>(
    `SELECT count(*)::int FROM pg_stat_activity
     WHERE datname = current_database() AND pid <> pg_backend_pid() AND xact_start IS NOT NULL`,
  )
  return rows[0]?.count ?? -1
}

test('a server that hangs within a rotation: refused in time, nothing kept, then well', async (t) => {
  const server = await startPostgres(t)
  const { database, store } = await openStore(t, server.url)
  const families = [await logIn(store), await logIn(store), await logIn(store)]
  server.pause()
  t.teardown(() => server.resume())
  await Promise.all(
    families.map((family) => t.rejects(store.rotate(rotation(family)), unavailable)),
  )
  await t.rejects(store.ping(), unavailable)
  server.resume()
  await waitFor(async () => (await countOpenTransactions(database)) === 0)
  for (const family of families) {
    const answer = await store.rotate(rotation(family))
    t.match(answer.outcome, /^(rotated|retried)$/, 'as if nothing had been, or its answer was lost')
  }
  t.equal(database.pool.idleCount, database.pool.totalCount, 'every connection is back')
})

test('a server that dies and returns', async (t) => {
  const server = await startPostgres(t)
  const { store } = await openStore(t, server.url)
  const family = await logIn(store)
  await server.stop()
  await t.rejects(store.rotate(rotation(family)), unavailable)
  await t.rejects(store.inspect({ owner: { userId: family.userId } }), unavailable)
  await server.start()
  t.equal((await rotateOn(store, family)).generation, 1)
})

test('a lock that another holds too long is refused in time and leaves the pool whole', async (t) => {
  const { database, store } = await openStore(t, (await openTestDatabase(t)).url)
  const family = await logIn(store)
  await inTransaction(
    database.pool,
    async (holder) => {
      await holder.query('SELECT FROM families FOR UPDATE')
      await t.rejects(store.rotate(rotation(family)), unavailable)
      await t.rejects(store.end(ending(family)), unavailable)
    },
    10_000,
  )
  t.strictSame(await read(store, family), family)
  t.equal((await rotateOn(store, family)).generation, 1)
  t.equal(await countOpenTransactions(database), 0)
})

test('rotations race changes of the user on few connections, without a deadlock', async (t) => {
  const { store } = await openStore(t, (await openTestDatabase(t)).url)
  let user = newUser()
  let kept = await logIn(store, user)
  for (let round = 0; round < 10; round += 1) {
    const others = await Promise.all([1, 2, 3, 4, 5, 6].map(() => logIn(store, user)))
    const record = nextEpoch(user)
    const racing = [kept, ...others].map((family) => store.rotate(rotation(family)))
    const answers = await Promise.all([store.putUser(keeping(record, kept)), ...racing])
    const outcomes = answers.slice(1).map((answer) => answer?.outcome)
    t.equal(outcomes[0], 'rotated', 'the kept family lives before and after')
    t.ok(outcomes.every((outcome) => outcome === 'rotated' || outcome === 'inactive'))
    for (const family of others) {
      t.match(await store.rotate(rotation(family)), { reason: 'user_epoch_passed' })
    }
    kept = (await read(store, kept)) ?? kept
    t.match(kept, { epoch: record.epoch, generation: round + 1 })
    user = record
  }
})

test('deleteExpired takes tombstones and tokens when they are due, not before', async (t) => {
  const { database, store } = await openStore(t, (await openTestDatabase(t)).url)
  const user = newUser()
  const dueAt = T0 + ABSOLUTE_MS + TOMBSTONE_SLACK_MS
  const [due, later] = [
    await logIn(store, user),
    await logIn(store, user, { absoluteExpiresAtMs: T0 + ABSOLUTE_MS + 1 }),
  ]
  await store.rotate(rotation(later))
  await store.rotate(rotation(later, { nowMs: T0 + 2 * GRACE_MS }))
  const owner = { userId: user.userId }
  await store.revokeToken({ owner, jti: 'due', expiresAtMs: dueAt }, T0)
  await store.revokeToken({ owner, jti: 'later', expiresAtMs: dueAt + 1 }, T0)

  await deleteExpired(database, dueAt - 1)
  t.equal((await listAll(store, user.userId)).families.length, 2)
  await deleteExpired(database, dueAt)
  t.notOk(await read(store, due))
  t.match(await read(store, later), { ended: { reason: 'reuse_detected' } })
  t.notOk((await store.inspect({ owner, jti: 'due' })).tokenRevoked)
  t.ok((await store.inspect({ owner, jti: 'later' })).tokenRevoked)
  t.strictSame((await listAll(store, user.userId)).user, user)
})

test('deleteExpired goes on until nothing due is left', async (t) => {
  const { database } = await openStore(t, (await openTestDatabase(t)).url)
  await database.pool.query(
    `INSERT INTO revoked_tokens SELECT 'c:x', i::text, 1 FROM generate_series(1, 12000) i`,
  )
  await deleteExpired(database, T0)
  t.equal(await (await database.prisma()).revokedToken.count(), 0)
})

async function waitFor(isTrue: () => Promise<boolean>): Promise<void> {
  while (!(await isTrue().catch(() => false))) {
    await new Promise((resolve) => setTimeout(resolve, 50))
  }
}
