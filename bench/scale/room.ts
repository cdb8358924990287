// The room that one of each takes, in Redis and on the disk of PostgreSQL: what the capacity page
// multiplies. A family takes the same room however often it was rotated.

import type { Family } from '../../src/families/family.ts'
import { logIn, rotateOn, T0 } from '../../test/contract/family-bench.ts'
import { runAsAdmin, startPostgres } from '../../test/support/postgres.ts'
import type { Scope } from '../../test/support/scope.ts'
import { formRequest, USER_AGENT } from '../load/http-connection.ts'
import { PASSWORD } from '../programs/argon2-cost.ts'
import { startLineage } from '../subjects/lineage.ts'
import { ask } from '../subjects/token-server.ts'
import { startServers } from '../support/servers.ts'
import { logInSurely, populate } from './family-acts.ts'
import { forEachOf } from './many.ts'
import { multiplyRow, openPostgresCase, type PostgresCase, tableBytes } from './postgres-case.ts'
import { familyBytes, openRedisCase, type RedisCase, usedBytes } from './redis-case.ts'
import type { ScaleMeasure, ScaleQuestion } from './scale-question.ts'

const ROWS = 100_000
const ROTATIONS = 10_000
const FILL_AT_ONCE = 64
const ABOUT = { userAgent: USER_AGENT }

type Facts = Record<string, number>

export const room: ScaleQuestion = {
  name: 'room',
  title: 'the room that a family takes when it is new and when it was rotated often',
  async prepare(scope, scaled) {
    const postgres = await openFamilies(scope)
    const rotations = scaled(ROTATIONS)
    const measures = [await rotateInRedis(scope, rotations), await rotateRow(postgres, rotations)]
    const facts = {
      ...(await measureMemory(scope, scaled(ROWS))),
      ...(await measureFamilyRows(postgres, scaled(ROWS))),
      ...(await measureServiceRows(scope, scaled(ROWS))),
    }
    return { cases: ['new', `${rotations.toLocaleString('en')} rotations`], measures, facts }
  },
}

/** `fresh` and `rotated` in bytes. */
function compare(name: string, fresh: number, rotated: number): ScaleMeasure {
  return { name, unit: 'bytes', cases: [async () => fresh, async () => rotated] }
}

async function rotateOften(
  store: RedisCase['store'],
  first: Family,
  rotations: number,
): Promise<void> {
  let family = first
  for (let i = 0; i < rotations; i += 1) family = await rotateOn(store, family, ABOUT)
}

async function rotateInRedis(scope: Scope, rotations: number): Promise<ScaleMeasure> {
  const { server, store } = await openRedisCase(scope)
  const family = await logIn(store, undefined, ABOUT)
  const fresh = await familyBytes(server, family)
  await rotateOften(store, family, rotations)
  return compare("a family's own key, Redis", fresh, await familyBytes(server, family))
}

async function openFamilies(scope: Scope): Promise<PostgresCase> {
  const { url } = await startPostgres(scope)
  return openPostgresCase(scope, url)
}

async function rotateRow({ store, run }: PostgresCase, rotations: number): Promise<ScaleMeasure> {
  const family = await logIn(store, undefined, ABOUT)
  const read = async () => {
    const sql = `SELECT pg_column_size(f) AS bytes FROM families f WHERE id = '${family.familyId}'`
    return ((await run(sql)) as { bytes: number }[])[0]?.bytes ?? Number.NaN
  }
  const fresh = await read()
  await rotateOften(store, family, rotations)
  return compare("a family's row, PostgreSQL", fresh, await read())
}

/** Of users with one session each, and of every session beyond the first. */
async function measureMemory(scope: Scope, count: number): Promise<Facts> {
  const { server, store } = await openRedisCase(scope)
  const kept = Math.ceil(count / 5)
  const empty = await usedBytes(server)
  const members = await populate(store, { count, kept, atOnce: FILL_AT_ONCE })
  const filled = await usedBytes(server)
  const further = [1, 2, 3, 4]
  for (const nth of further) {
    await forEachOf(members, ({ user }) => logInSurely(store, user, T0 + nth), FILL_AT_ONCE)
  }
  const more = await usedBytes(server)
  const [member] = members
  if (!member) throw new Error('nobody was made')
  return {
    'redis bytes a user with one session': (filled - empty) / count,
    'redis bytes each further session': (more - filled) / (kept * further.length),
    "redis bytes a family's own key": await familyBytes(server, member.family),
  }
}

/** Where families live in PostgreSQL: the row of the session and the copy of its user's record. */
async function measureFamilyRows(postgres: PostgresCase, count: number): Promise<Facts> {
  const [member] = await populate(postgres.store, { count: 1, kept: 1, atOnce: 1 })
  const { userId } = member?.user ?? {}
  const familyBytes = await measureTable(postgres, 'families', count, {
    where: `id = '${member?.family.familyId}'`,
    changes: "jsonb_build_object('id', gen_random_uuid(), 'user_id', gen_random_uuid())",
  })
  const userBytes = await measureTable(postgres, 'family_users', count, {
    where: `user_id = '${userId}'`,
    changes: "jsonb_build_object('user_id', gen_random_uuid())",
  })
  return {
    'postgres bytes a family': familyBytes,
    'postgres bytes a user of families': userBytes,
  }
}

/** Rows that the service itself has made, multiplied. */
async function measureServiceRows(scope: Scope, count: number): Promise<Facts> {
  const servers = await startServers(scope)
  const lineage = await startLineage(servers)
  scope.teardown(() => lineage.process.stop())
  const [username = ''] = lineage.usernames
  const login = { grant_type: 'password', ...lineage.app, username, password: PASSWORD }
  await ask(lineage.port, formRequest('/token', login))
  // It writes its events before it ends.
  await lineage.process.stop()
  const database = { run: (sql: string) => runAsAdmin(servers.databaseUrl, sql) }
  return {
    'postgres bytes a user': await measureTable(database, 'users', count, {
      where: `username = '${username}'`,
      changes: `jsonb_build_object('id', gen_random_uuid(),
        'username', 'person-' || n, 'username_key', 'person-' || n,
        'email', 'person-' || n || '@example.com', 'email_key', 'person-' || n || '@example.com')`,
    }),
    'postgres bytes an event': await measureTable(database, 'events', count, {
      where: "type = 'login.succeeded'",
      changes: `jsonb_build_object('id', gen_random_uuid(), 'at', at + n * interval '1 ms',
        'subject', gen_random_uuid(), 'session_id', gen_random_uuid())`,
    }),
    'postgres bytes a journal entry': await measureTable(database, 'journal', count, {
      where: 'id = (SELECT max(id) FROM journal)',
      changes: `jsonb_build_object('id', id + n, 'at', at + n * interval '1 ms',
        'subject', 'f:' || gen_random_uuid() || gen_random_uuid())`,
    }),
  }
}

async function measureTable(
  database: Pick<PostgresCase, 'run'>,
  table: string,
  count: number,
  row: { where: string; changes: string },
): Promise<number> {
  const from = await tableBytes(database, table)
  await multiplyRow(database, table, { ...row, count })
  await database.run(`VACUUM ANALYZE ${table}`)
  return ((await tableBytes(database, table)) - from) / count
}
