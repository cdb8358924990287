// How PostgreSQL finds users: each page of each list, and each look-up, reads the rows that it shows
// and hardly more, whoever else there is, and whether or not statistics were gathered.

import { type Test, test } from 'tap'
import { loadStoredPasswordCosts } from '../../src/users/stored-password-costs.ts'
import type { UserFilter, UserId } from '../../src/users/user.ts'
import { openUserBatches } from '../../src/users/user-batches.ts'
import { openUserStore, type UserStore } from '../../src/users/user-store.ts'
import {
  indexesOf,
  openPlannedDatabase,
  type PlannedDatabase,
  readingOf,
  scansOf,
} from '../support/query-plans.ts'

const LIMIT = 10
/** Of all statements of one list or look-up; a page of rows and the levels of an index. */
const BLOCKS_MAX = 60

// The oldest third is deleted, the next is active and of one moment, as after an import; then active
// ones of moments of their own, and the newest are disabled.
const SEED = `
  ALTER TABLE users SET (autovacuum_enabled = off);
  INSERT INTO users (id, username, username_key, email, email_key, password_hash, status, created_at)
  SELECT ('00000000-0000-4000-8000-' || lpad(i::text, 12, '0'))::uuid, named.name, named.name,
    named.name || '@example.org', named.name || '@example.org',
    '$argon2id$v=19$m=19456,t=2,p=1$c2FsdHNhbHQ$aGFzaA', named.status,
    timestamptz '2026-01-01' + CASE
      WHEN i <= 5000 THEN i WHEN i <= 10000 THEN 5001 ELSE i END * interval '1 s'
  FROM generate_series(1, 15000) AS i,
    LATERAL (SELECT CASE WHEN i > 5000 THEN 'u' || i END AS name, CASE
      WHEN i <= 5000 THEN 'deleted' WHEN i > 14900 THEN 'disabled' ELSE 'active' END AS status) AS named`

const idOf = (number: number) =>
  `00000000-0000-4000-8000-${String(number).padStart(12, '0')}` as UserId

/** Every combination of the filters that the list has. */
const FILTERS: UserFilter[] = [undefined, 'u14950', 'nobody'].flatMap((username) =>
  [undefined, 'u14950@example.org'].flatMap((email) =>
    ([undefined, 'active', 'disabled'] as const).map((status) => ({ username, email, status })),
  ),
)

/** Where a page may begin: the start, in the midst of one moment, near the end, at the last row. */
const PLACES = [undefined, 7_500, 14_800, 14_990, 15_000]

async function openUsers(t: Test) {
  const planned = await openPlannedDatabase(t)
  const { prisma } = planned.database
  const users = openUserStore({
    prisma,
    clock: Date.now,
    journalChange: async () => {},
    forgetUser: async () => {},
    publishChange: async () => {},
  })
  await planned.prepare(SEED)
  return { ...planned, users }
}

/** Where the user stands in a list. */
async function placeOf(users: UserStore, number: number | undefined) {
  const user = number === undefined ? undefined : await users.findById(idOf(number))
  return user && { at: user.createdAt, id: user.id }
}

async function checkLists(t: Test, { plansOf, users }: PlannedDatabase & { users: UserStore }) {
  for (const filter of FILTERS) {
    // One user at most is found by name, whatever page of the list is asked for.
    const isNamed = filter.username !== undefined || filter.email !== undefined
    for (const number of isNamed ? PLACES.slice(0, 1) : PLACES) {
      const after = await placeOf(users, number)
      const plans = await plansOf(() => users.list(filter, { limit: LIMIT, after }))
      const what = `${JSON.stringify(filter)} after ${number}`
      t.strictSame(scansOf(plans, 'users'), [], `${what}: no scan of the table`)
      const { rows, blocks } = readingOf(plans)
      t.ok(rows <= LIMIT + 1 && blocks <= BLOCKS_MAX, `${what}: ${rows} rows, ${blocks} blocks`)
    }
  }
}

async function checkLookUps(
  t: Test,
  { plansOf, users, database }: PlannedDatabase & { users: UserStore },
) {
  const keys = [{ id: idOf(9), username: 'u6000', email: 'u7000@example.org' }]
  const lookUps: [string, () => Promise<unknown>, string[]][] = [
    [
      'a login by username',
      () => users.findForLogin({ usernameKey: 'u9000' }),
      ['users_username_key_key'],
    ],
    [
      'a login by email',
      () => users.findForLogin({ emailKey: 'u9@example.org' }),
      ['users_email_key_key'],
    ],
    ['by id', () => users.findCredentials(idOf(9_000)), ['users_pkey']],
    ['the record', () => users.loadRecord(idOf(9)), ['users_pkey']],
    [
      'names that are taken',
      () => openUserBatches(database, Date.now).findHolders(keys),
      ['users_email_key_key', 'users_pkey', 'users_username_key_key'],
    ],
    ['the dearest hash', () => loadStoredPasswordCosts(database), ['users_password_hash_cost_idx']],
  ]
  for (const [what, lookUp, indexes] of lookUps) {
    // A connection that calls an SQL function for the first time reads what the function is.
    await lookUp()
    const plans = await plansOf(lookUp)
    t.strictSame(indexesOf(plans), indexes, what)
    const { rows, blocks } = readingOf(plans)
    t.ok(rows <= 20 && blocks <= BLOCKS_MAX, `${what}: ${rows} rows, ${blocks} blocks`)
  }
}

test('every list and look-up of 15,000 users is read by index', { timeout: 120_000 }, async (t) => {
  const opened = await openUsers(t)
  for (const statistics of ['without', 'with']) {
    if (statistics === 'with') await opened.prepare('ANALYZE users')
    await t.test(`${statistics} statistics`, async (t) => {
      await checkLists(t, opened)
      await checkLookUps(t, opened)
    })
  }
})
