// The journal in PostgreSQL: what is committed is found again, by the database's clock.

import { randomUUID } from 'node:crypto'
import { type Test, test } from 'tap'
import type { ClientId } from '../../../src/clients/client.ts'
import type { Database } from '../../../src/database/database.ts'
import {
  BY_ASSERTION,
  BY_PASSWORD,
  BY_PASSWORD_AND_CODE,
  type CreateFamily,
  type FamilyId,
} from '../../../src/families/family.ts'
import {
  applyJournalPayload,
  type JournalPayload,
  type JournalTarget,
} from '../../../src/families/journal.ts'
import {
  journalUserChange,
  openPostgresJournal,
} from '../../../src/families/postgres/postgres-journal.ts'
import type { UserId, UserRecord } from '../../../src/users/user.ts'
import { newLogin, newUser, nextEpoch, T0 } from '../../contract/family-bench.ts'
import { openReadyDatabase } from '../../support/database.ts'
import { readAll } from '../../support/journal.ts'
import { openTestDatabase, startPostgres } from '../../support/postgres.ts'

const userId = randomUUID() as UserId
const familyId = randomUUID() as FamilyId
const user: Extract<JournalPayload, { kind: 'user' }> = {
  kind: 'user',
  record: nextEpoch(newUser({ userId, roles: ['a:b', "o'k"] })),
  keepFamilyId: familyId,
}
const end: Extract<JournalPayload, { kind: 'family' }> = {
  kind: 'family',
  end: { userId, familyId, reason: 'revoked_by_user', atMs: T0, clientId: 'web' as ClientId },
}
const token: Extract<JournalPayload, { kind: 'token' }> = {
  kind: 'token',
  token: { owner: { clientId: 'web' as ClientId }, jti: 'j', expiresAtMs: T0 },
}

async function openJournal(t: Test, url: string) {
  const database = await openReadyDatabase(t, url)
  return { database, journal: openPostgresJournal(database) }
}

/** Rows of long before anything was about a subject, `modulus` milliseconds of them from T0 on. */
async function writeRows(database: Database, count: number, modulus = count): Promise<void> {
  await database.pool.query(
    `INSERT INTO journal (at, payload) SELECT to_timestamp(($1::bigint + i % $4) / 1000.0), $2
     FROM generate_series(0, $3::int - 1) i`,
    [T0, JSON.stringify(token), count, modulus],
  )
}

test('every kind comes back as it was, oldest first', async (t) => {
  const { journal } = await openJournal(t, (await openTestDatabase(t)).url)
  await journal.append(end)
  await journal.append(user)
  await journal.append(token)
  const entries = await readAll(journal, 0)
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
  const client = await database.prisma()
  const undone = client.$transaction(async (tx) => {
    await journalUserChange(tx, user.record)
    t.strictSame(await readAll(journal, 0), [])
    throw new Error('undone')
  })
  await t.rejects(undone, { message: 'undone' })
  t.strictSame(await readAll(journal, 0), [])
})

test('of one user there is one row, the newest, and it is read after what was read before', async (t) => {
  const { database, journal } = await openJournal(t, (await openTestDatabase(t)).url)
  const client = await database.prisma()
  const change = (record: UserRecord) => client.$transaction((tx) => journalUserChange(tx, record))
  const other = nextEpoch(newUser())
  let newest = user.record
  await change(newest)
  await change(other)
  const [first] = await readAll(journal, 0)
  for (let i = 0; i < 20; i += 1) {
    newest = nextEpoch(newest)
    await change(newest)
  }
  const entries = await readAll(journal, 0)
  t.strictSame(
    entries.map(({ payload }) => payload),
    [
      { kind: 'user', record: other },
      { kind: 'user', record: newest },
    ],
  )
  const last = entries[1]
  t.ok(first && last && last.id > first.id && last.atMs >= first.atMs, 'as a new entry')
})

test('reads from the very millisecond', async (t) => {
  const { database, journal } = await openJournal(t, (await openTestDatabase(t)).url)
  await writeRows(database, 4)
  const readTimes = async (sinceMs: number) =>
    (await readAll(journal, sinceMs)).map((entry) => entry.atMs - T0)
  t.strictSame(await readTimes(T0 + 1), [1, 2, 3])
  t.strictSame(await readTimes(T0 + 4), [])
})

test('an entry about the same thing is written once, another one for other conditions', async (t) => {
  const { journal } = await openJournal(t, (await openTestDatabase(t)).url)
  const { clientId: _, ...everybody } = end.end
  const unconditional: JournalPayload = { kind: 'family', end: everybody }
  for (const payload of [end, unconditional, token]) {
    t.equal(await journal.append(payload), true)
    t.equal(await journal.append(payload), false)
  }
  const sent = await Promise.all(
    Array.from({ length: 8 }, () =>
      journal.append({ kind: 'token', token: { ...token.token, jti: 'other' } }),
    ),
  )
  t.equal(sent.filter(Boolean).length, 1, 'of eight at once too')
  t.equal((await readAll(journal, 0)).length, 4)
})

test('a login is found until it is ended or taken back', async (t) => {
  const { journal } = await openJournal(t, (await openTestDatabase(t)).url)
  const logins = [
    newLogin(newUser({ userId }), { familyId }),
    newLogin(newUser()),
    newLogin(newUser()),
  ]
  for (const login of logins) await journal.append({ kind: 'created', login }, Date.now() + 60_000)
  const old = newLogin(newUser())
  const find = (login: CreateFamily) => journal.findLogin(login.family.familyId)
  const [ended, retracted, kept] = logins as [CreateFamily, CreateFamily, CreateFamily]
  t.strictSame(await find(ended), ended)
  const mistaken = { ...end.end, clientId: 'other' as ClientId }
  await journal.append({ kind: 'family', end: mistaken })
  t.strictSame(await find(ended), ended, 'an end that the store will refuse takes nothing along')
  await journal.append(end)
  await journal.append({ kind: 'created', login: old }, Date.now() - 1)
  t.equal(await find(old), undefined, 'not an old one')
  await journal.retractLogin(retracted.family.familyId)
  t.strictSame(await Promise.all([find(ended), find(retracted), find(kept)]), [
    undefined,
    undefined,
    kept,
  ])
  t.strictSame(
    (await readAll(journal, 0)).map(({ payload }) => payload.kind),
    ['created', 'family', 'family'],
  )
})

test('a login that a release without factors wrote was made by the password', async (t) => {
  const { database, journal } = await openJournal(t, (await openTestDatabase(t)).url)
  const login = newLogin(newUser(), { amr: BY_PASSWORD_AND_CODE })
  await journal.append({ kind: 'created', login }, Date.now() + 60_000)
  await database.pool.query(`UPDATE journal SET payload = payload #- '{login,family,amr}'`)
  const older = { ...login, family: { ...login.family, amr: BY_PASSWORD } }
  t.strictSame(await journal.findLogin(login.family.familyId), older)
  const [entry] = await readAll(journal, 0)
  const restored: CreateFamily[] = []
  const store = { restore: async (given: CreateFamily) => void restored.push(given) }
  if (entry) await applyJournalPayload(entry.payload, store as unknown as JournalTarget, T0)
  t.strictSame(restored, [older])
})

test('what a login is bound to is in its entry', async (t) => {
  const { journal } = await openJournal(t, (await openTestDatabase(t)).url)
  const confirmation = { jkt: 'k'.repeat(43), 'x5t#S256': 'c'.repeat(43) }
  for (const bound of [{ confirmation, amr: BY_ASSERTION }, { confirmation: undefined }]) {
    const login = newLogin(newUser(), bound)
    await journal.append({ kind: 'created', login }, Date.now() + 60_000)
    t.strictSame(await journal.findLogin(login.family.familyId), login)
  }
})

test('a row stays until what it ends could not be valid any more', async (t) => {
  const { database, journal } = await openJournal(t, (await openTestDatabase(t)).url)
  const HOUR_MS = 3_600_000
  await journal.append(end, T0)
  await journal.append(token, T0 + HOUR_MS)
  // Without a time of its own, written now: it stays as long as the longest family.
  await (await database.prisma()).$transaction((tx) => journalUserChange(tx, user.record))
  const left = async (nowMs: number, longestFamilyMs: number) => {
    await journal.prune(nowMs, longestFamilyMs)
    return (await readAll(journal, 0)).map(({ payload }) => payload.kind)
  }
  const sinceNowMs = T0 - Date.now()
  t.strictSame(await left(T0, sinceNowMs + HOUR_MS), ['family', 'token', 'user'])
  t.strictSame(await left(T0 + 1, sinceNowMs + HOUR_MS), ['token', 'user'])
  await database.pool.query(
    `INSERT INTO clients (id, name, type, grant_types, refresh_absolute_ttl_seconds, sessions_valid_from)
     VALUES ('long', 'long', 'public', '{}', $1, now())`,
    [10 * 365 * 86_400],
  )
  t.strictSame(await left(Date.now() + 9 * 365 * 86_400_000, 0), ['token', 'user'], 'of a client')
  await database.pool.query('DELETE FROM clients')
  t.strictSame(await left(T0 + 3 * HOUR_MS, 0), [])
})

test('a long journal is read and pruned whole, whatever its times', async (t) => {
  const { database, journal } = await openJournal(t, (await openTestDatabase(t)).url)
  // All of 12,000 rows in two milliseconds, so that pages end within one.
  await writeRows(database, 12_000, 2)
  for await (const page of journal.readSince(T0)) t.ok(page.length <= 2_000, 'in pages')
  const entries = await readAll(journal, T0)
  t.equal(new Set(entries.map((entry) => entry.id)).size, 12_000)
  t.ok(entries.every((entry, i) => i === 0 || (entries[i - 1]?.atMs ?? 0) <= entry.atMs))
  await journal.prune(T0 + 1, 0)
  t.equal((await readAll(journal, 0)).length, 6_000)
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
  const [entry] = await readAll(journal, 0)
  // A millisecond, because the column rounds and the parser cuts.
  t.ok(entry && entry.atMs >= before && entry.atMs <= after + 1)
})

test('without PostgreSQL every method says so', async (t) => {
  const server = await startPostgres(t)
  const { journal } = await openJournal(t, server.url)
  await server.stop()
  const unavailable = { name: 'DependencyUnavailable', dependency: 'postgresql' }
  await t.rejects(journal.append(end), unavailable)
  await t.rejects(readAll(journal, 0), unavailable)
  await t.rejects(journal.prune(0, 0), unavailable)
  await server.start()
  await journal.append(end)
  t.equal((await readAll(journal, 0)).length, 1)
})
