// Does finding a user, or a page of users, cost the same among so many? A tenth is deleted, a tenth was
// imported at one moment, and few are disabled.

import { loadStoredPasswordCosts } from '../../src/users/stored-password-costs.ts'
import type { UserFilter } from '../../src/users/user.ts'
import { openUserStore, type UserStore } from '../../src/users/user-store.ts'
import { startPostgres } from '../../test/support/postgres.ts'
import type { Scope } from '../../test/support/scope.ts'
import { costOf, upTo } from './many.ts'
import { openPostgresCase, type PostgresCase, tableBytes } from './postgres-case.ts'
import type { ScaleMeasure, ScaleQuestion } from './scale-question.ts'

const SIZES = [1_000, 1_000_000]
const TIMES = 30
const LIMIT = 50

interface UsersCase {
  readonly postgres: PostgresCase
  readonly users: UserStore
  readonly size: number
}

export const users: ScaleQuestion = {
  name: 'users',
  title: 'the cost of finding one user, or a page of users, among so many',
  async prepare(scope, scaled) {
    const sizes = SIZES.map((size) => Math.max(1_000, scaled(size)))
    const { url } = await startPostgres(scope)
    const cases: UsersCase[] = []
    for (const size of sizes) cases.push(await openCase(scope, url, size))
    const large = cases.at(-1)
    const bytes = large ? await tableBytes(large.postgres, 'users') : Number.NaN
    return {
      cases: sizes.map((size) => `${size.toLocaleString('en')} users`),
      measures: measuresOf(cases),
      facts: { 'bytes a user, indexes included': bytes / (large?.size ?? 1) },
    }
  },
}

async function openCase(scope: Scope, serverUrl: string, size: number): Promise<UsersCase> {
  const postgres = await openPostgresCase(scope, serverUrl)
  const [tenth, fifth] = [size / 10, size / 5]
  await postgres.run(
    `INSERT INTO users (id, username, username_key, email, email_key, password_hash, status, roles,
       created_at)
     SELECT md5(i::text)::uuid, named.name, named.name, named.name || '@example.org',
       named.name || '@example.org', CASE WHEN i > ${tenth} THEN
         '$argon2id$v=19$m=19456,t=2,p=1$c2FsdHNhbHRzYWx0c2FsdA$' || repeat('x', 43) END,
       CASE WHEN i <= ${tenth} THEN 'deleted' WHEN i > ${size - 200} THEN 'disabled'
         ELSE 'active' END,
       '{}', timestamptz '2026-01-01' + interval '1 s' *
         CASE WHEN i BETWEEN ${tenth} AND ${fifth} THEN ${tenth} ELSE i END
     FROM generate_series(1, ${size}) AS i,
       LATERAL (SELECT CASE WHEN i > ${tenth} THEN 'user-' || i END AS name) AS named`,
  )
  await postgres.run('VACUUM ANALYZE')
  const users = openUserStore({
    prisma: postgres.database.prisma,
    clock: Date.now,
    journalChange: async () => {},
    forgetUser: async () => {},
    publishChange: async () => {},
  })
  return { postgres, users, size }
}

function measuresOf(cases: readonly UsersCase[]): ScaleMeasure[] {
  const number = (size: number, i: number) => Math.floor(size / 2) + i
  const page =
    (filter: (size: number) => UserFilter, from?: (size: number) => number) =>
    async ({ users, postgres, size }: UsersCase) => {
      const [row] = (await postgres.run(
        `SELECT id, created_at AS at FROM users WHERE id = md5('${from?.(size) ?? 0}')::uuid`,
      )) as { id: string; at: Date }[]
      const request = { limit: LIMIT, after: row }
      return costOf(
        TIMES,
        () => performance.now(),
        async () => {
          for (const _ of upTo(TIMES)) await users.list(filter(size), request)
        },
      )
    }
  const lookUp = (find: (one: UsersCase, i: number) => Promise<unknown>) => (one: UsersCase) =>
    costOf(
      TIMES,
      () => performance.now(),
      async () => {
        for (const i of upTo(TIMES)) await find(one, i)
      },
    )
  const kinds: Record<string, (one: UsersCase) => Promise<number>> = {
    'look-up by username': lookUp(({ users, size }, i) =>
      users.findForLogin({ usernameKey: `user-${number(size, i)}` }),
    ),
    'look-up by email': lookUp(({ users, size }, i) =>
      users.findForLogin({ emailKey: `user-${number(size, i)}@example.org` }),
    ),
    'what the hashes cost': lookUp(({ postgres }) => loadStoredPasswordCosts(postgres.database)),
    'first page, behind the deleted': page(() => ({})),
    'page within one moment': page(
      () => ({}),
      (size) => size * 0.15,
    ),
    'deep page': page(
      () => ({}),
      (size) => size * 0.8,
    ),
    'page of the active, deep': page(
      () => ({ status: 'active' }),
      (size) => size * 0.7,
    ),
    'page of the disabled': page(() => ({ status: 'disabled' })),
    'filtered by name and status': page((size) => ({
      username: `user-${number(size, 0)}`,
      status: 'active',
    })),
  }
  return Object.entries(kinds).map(([name, measure]) => ({
    name,
    unit: 'ms',
    cases: cases.map((one) => () => measure(one)),
  }))
}
