// How PostgreSQL runs each operation on families: by the same indexes, and with as many blocks, whether
// a user has 200 ended sessions or 20,000, and whether or not statistics were gathered. An operation is
// as many statements as it needs.

import { type Test, test } from 'tap'
import type { Family } from '../../../src/families/family.ts'
import type { FamilyStore } from '../../../src/families/family-store.ts'
import { deleteExpired } from '../../../src/families/postgres/postgres-family-garbage.ts'
import { openPostgresFamilyStore } from '../../../src/families/postgres/postgres-family-store.ts'
import type { UserRecord } from '../../../src/users/user.ts'
import {
  ending,
  keeping,
  listAll,
  logIn,
  newUser,
  nextEpoch,
  rotateOn,
  T0,
} from '../../contract/family-bench.ts'
import {
  indexesOf,
  openPlannedDatabase,
  type PlannedDatabase,
  readingOf,
  scansOf,
} from '../../support/query-plans.ts'

const DAY_MS = 86_400_000
const EXPIRES_AT_MS = T0 + 100 * DAY_MS
const LONG = { idleExpiresAtMs: EXPIRES_AT_MS, absoluteExpiresAtMs: EXPIRES_AT_MS }
/** What a list shows of ended sessions, so the small case has them too. */
const LISTED = 200
const MANY = 20_000

/** 40,000 ended sessions, half of them found dead: so many of the user, the others each of a stranger. */
const seed = (userId: string, ended: number) => `
  ALTER TABLE families SET (autovacuum_enabled = off);
  ALTER TABLE family_users SET (autovacuum_enabled = off);
  INSERT INTO families (id, user_id, client_id, scope, audience, secret_hash, generation, epoch,
    created_at_ms, rotated_at_ms, idle_expires_at_ms, absolute_expires_at_ms, ip, user_agent,
    ended_at_ms, ended_reason, found_dead)
  SELECT gen_random_uuid(), of_user.id, 'web', '{}', '{}', 'x', 0, 0, ${T0 - DAY_MS} + i,
    ${T0 - DAY_MS} + i, ${T0 - 1}, ${EXPIRES_AT_MS}, '', '',
    CASE WHEN i % 2 = 0 THEN ${T0 - 1} END, CASE WHEN i % 2 = 0 THEN 'reuse_detected' END, i % 2 = 1
  FROM generate_series(1, ${MANY}) AS i,
    LATERAL (VALUES (CASE WHEN i <= ${ended} THEN '${userId}'::uuid ELSE gen_random_uuid() END),
      (gen_random_uuid())) AS of_user (id);
  INSERT INTO family_users (user_id, epoch, status, roles, version, epoch_log)
  SELECT gen_random_uuid(), 0, 'active', '{}', 0, '[]' FROM generate_series(1, ${MANY});
  INSERT INTO revoked_tokens SELECT 'u:${userId}', i::text, ${EXPIRES_AT_MS}
  FROM generate_series(1, ${MANY}) AS i`

interface Case extends PlannedDatabase {
  readonly store: FamilyStore
  user: UserRecord
  /** That goes on through all of it, and one for each end. */
  family: Family
  ending: Family
}

async function openCase(t: Test, ended: number): Promise<Case> {
  const planned = await openPlannedDatabase(t)
  const store = openPostgresFamilyStore(planned.database, () => T0)
  const user = newUser()
  await planned.prepare(seed(user.userId, ended))
  const family = await logIn(store, user, LONG)
  return { ...planned, store, user, family, ending: family }
}

const PRIMARY = ['families_pkey', 'family_users_pkey']

/** What each does, and the indexes that it reads; `statements` count those of its transaction too. */
const ACTS = {
  refresh: {
    indexes: PRIMARY,
    statements: 4,
    act: async (one: Case) => {
      one.family = await rotateOn(one.store, one.family)
    },
  },
  login: {
    indexes: ['families_live_idx', ...PRIMARY],
    act: async (one: Case) => {
      one.ending = await logIn(one.store, one.user, LONG, T0 + 1)
    },
  },
  revocation: {
    indexes: PRIMARY,
    statements: 4,
    act: ({ store, ending: family }: Case) => store.end(ending(family)),
  },
  'online check': {
    indexes: [...PRIMARY, 'revoked_tokens_pkey'],
    statements: 1,
    act: ({ store, family: { userId, familyId } }: Case) =>
      store.inspect({ owner: { userId }, familyId, jti: '9', earlierJtis: ['7', '8'] }),
  },
  list: {
    indexes: ['families_ended_idx', 'families_live_idx', ...PRIMARY],
    act: ({ store, user }: Case) => listAll(store, user.userId),
  },
  'all but this': {
    indexes: ['families_pkey'],
    act: async (one: Case) => {
      one.user = keeping(nextEpoch(one.user), one.family)
      await one.store.putUser(one.user)
    },
  },
  'a deletion with nothing due': {
    indexes: ['families_absolute_expires_at_ms_idx', 'revoked_tokens_expires_at_ms_idx'],
    act: ({ database }: Case) => deleteExpired(database, T0),
  },
}

test('200 or 20,000 ended: the same indexes and blocks', { timeout: 120_000 }, async (t) => {
  const [few, many] = [await openCase(t, LISTED), await openCase(t, MANY)]
  for (const statistics of ['without', 'with']) {
    if (statistics === 'with') {
      for (const { prepare } of [few, many])
        await prepare('ANALYZE families, family_users, revoked_tokens')
    }
    for (const [name, { act, indexes, ...expected }] of Object.entries(ACTS)) {
      const what = `${name}, ${statistics} statistics`
      const small = readingOf(await few.plansOf(() => act(few)))
      const plans = await many.plansOf(() => act(many))
      const large = readingOf(plans)
      t.strictSame(indexesOf(plans), indexes, what)
      for (const table of ['families', 'family_users']) {
        t.strictSame(scansOf(plans, table), [], `${what}: ${table} is not read through`)
      }
      t.ok(large.rows <= LISTED + 2, `${what}: ${large.rows} rows`)
      t.ok(
        large.blocks <= 1.2 * small.blocks + 2,
        `${what}: ${small.blocks}, ${large.blocks} blocks`,
      )
      if ('statements' in expected)
        t.equal(plans.length, expected.statements, `${what}: statements`)
    }
  }
})
