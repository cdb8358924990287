// The journal in PostgreSQL: what is committed is found again, by the database's clock.

import { randomUUID } from 'node:crypto'
import { type Test, test } from 'tap'
import type { ClientId } from '../../src/clients/client.ts'
import type { FamilyId } from '../../src/families/family.ts'
import type { JournalPayload } from '../../src/families/journal.ts'
import { journalUserChange, openPostgresJournal } from '../../src/families/postgres-journal.ts'
import type { UserId } from '../../src/users/user.ts'
import { newUser, nextEpoch, T0 } from '../contract/family-bench.ts'
import { openReadyDatabase } from '../support/database.ts'
import { openTestDatabase, startPostgres } from '../support/postgres.ts'

const userId = randomUUID() as UserId
const familyId = randomUUID() as FamilyId
const user: Extract<JournalPayload, { kind: 'user' }> = {
  kind: 'user',
  record: nextEpoch(newUser({ userId, roles: ['a:b', "o'k"] })),
  keepFamilyId: familyId,
}
const end: JournalPayload = {
  kind: 'family',
  end: { userId, familyId, reason: 'revoked_by_user', atMs: T0, clientId: 'web' as ClientId },
}
const token: JournalPayload = {
  kind: 'token',
  token: { owner: { clientId: 'web' as ClientId }, jti: 'j', expiresAtMs: T0 },
}

async function openJournal(t: Test, url: string) {
  const database = await openReadyDatabase(t, url)
  return { database, journal: openPostgresJournal(database) }
}

test('every kind comes back as it was, oldest first', async (t) => {
  const { database, journal } = await openJournal(t, (await openTestDatabase(t)).url)
  await journal.append(end)
  await database.prisma.$transaction((tx) => journalUserChange(tx, user))
  await journal.append(token)
  const entries = await journal.readSince(0)
  t.strictSame(
    entries.map((entry) => entry.payload),
    [end, user, token],
  )
  t.strictSame(
    entries.map((entry) => entry.id),
    [1n, 2n, 3n],
  )
})

test('a user change is journalled when its transaction commits, or not at all', async (t) => {
  const { database, journal } = await openJournal(t, (await openTestDatabase(t)).url)
  const undone = database.prisma.$transaction(async (tx) => {
    await journalUserChange(tx, user)
    t.strictSame(await journal.readSince(0), [])
    throw new Error('undone')
  })
  await t.rejects(undone, { message: 'undone' })
  t.strictSame(await journal.readSince(0), [])
})

test('reads and prunes from the very millisecond', async (t) => {
  const { database, journal } = await openJournal(t, (await openTestDatabase(t)).url)
  await database.pool.query(
    `INSERT INTO journal (at, payload) SELECT to_timestamp(($1::bigint + i) / 1000.0), $2
     FROM generate_series(0, 3) i`,
    [T0, JSON.stringify(token)],
  )
  const readTimes = async (sinceMs: number) =>
    (await journal.readSince(sinceMs)).map((entry) => entry.atMs - T0)
  t.strictSame(await readTimes(T0 + 1), [1, 2, 3])
  t.strictSame(await readTimes(T0 + 4), [])
  await journal.prune(T0 + 2)
  t.strictSame(await readTimes(0), [2, 3])
})

test('a long journal is read and pruned whole, whatever its times', async (t) => {
  const { database, journal } = await openJournal(t, (await openTestDatabase(t)).url)
  // All of 12,000 rows in two milliseconds, so that pages end within one.
  await database.pool.query(
    `INSERT INTO journal (at, payload) SELECT to_timestamp(($1::bigint + i % 2) / 1000.0), $2
     FROM generate_series(1, 12000) i`,
    [T0, JSON.stringify(token)],
  )
  const entries = await journal.readSince(T0)
  t.equal(new Set(entries.map((entry) => entry.id)).size, 12_000)
  t.ok(entries.every((entry, i) => i === 0 || (entries[i - 1]?.atMs ?? 0) <= entry.atMs))
  await journal.prune(T0 + 1)
  t.equal((await journal.readSince(0)).length, 6_000)
})

test('the clock is the database’s', async (t) => {
  const { database, journal } = await openJournal(t, (await openTestDatabase(t)).url)
  const now = async () => {
    const { rows } = await database.pool.query<{ now: Date }>('SELECT clock_timestamp() AS now')
    return rows[0]?.now.getTime() ?? Number.NaN
  }
  const before = await now()
  await journal.append(token)
  const after = await now()
  const [entry] = await journal.readSince(0)
  // A millisecond, because the column rounds and the parser cuts.
  t.ok(entry && entry.atMs >= before && entry.atMs <= after + 1)
})

test('without PostgreSQL every method says so', async (t) => {
  const server = await startPostgres(t)
  const { journal } = await openJournal(t, server.url)
  await server.stop()
  const unavailable = { name: 'DependencyUnavailable', dependency: 'postgresql' }
  await t.rejects(journal.append(end), unavailable)
  await t.rejects(journal.readSince(0), unavailable)
  await t.rejects(journal.prune(0), unavailable)
  await server.start()
  await journal.append(end)
  t.equal((await journal.readSince(0)).length, 1)
})
