// Killed while the tables are migrated: from nothing, or from the first release with people in it; by the
// command, by a start, or with the server of the database.

import { randomUUID } from 'node:crypto'
import { cpSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { openDatabase } from '../../src/database/database.ts'
import { applyMigrations } from '../../src/database/migrations.ts'
import { asAdmin } from '../support/admin-connection.ts'
import { createMigrated, emptyDatabaseSql } from '../support/database-template.ts'
import { ROOT } from '../support/repository-text.ts'
import type { Scope } from '../support/scope.ts'
import { until } from '../support/until.ts'
import type { Act, RunRound } from './act.ts'
import { type CrashScene, openCrashScene, queryOnce } from './crash-scene.ts'
import type { Fuse } from './fuse.ts'
import type { Damage } from './invariants.ts'
import { repeatCommand, runUnderFuse, startUnderFuse } from './program.ts'
import type { Query } from './read-users.ts'
import { checkMigrations, checkSchema, readSchema } from './walk-schema.ts'

/** As of the first release. */
const FIRST = ['20261101000000_init', '20261101120000_events']
const OLD_USERS = 3_000

const migration: Act = {
  what: 'migrations, from nothing or from the first release, by the command or a start',
  share: 4,
  async open(scope) {
    const scene = await openCrashScene(scope, { withRedis: false })
    const { url } = scene.postgres
    await createMigrated(url, 'whole')
    const whole = await readSchema(queryOf(url, 'whole'))
    await makeFirstRelease(scope, url)
    let number = 0
    const round: RunRound = async (fuseOf, random) => {
      number += 1
      const name = `round_${number}`
      const isOld = random.next() < 0.6
      const template = isOld ? 'CREATE DATABASE NAME TEMPLATE first STRATEGY file_copy' : ''
      await runSql(url, template.replace('NAME', name) || emptyDatabaseSql(name, 'UTF8'))
      const query = queryOf(url, name)
      const before = isOld ? await readSchema(query) : []
      const env = { ...scene.env, DATABASE_URL: withName(scene.env.DATABASE_URL ?? '', name) }
      const way = random.pick(['command', 'start', 'server'] as const)
      const fuse = fuseOf(`${way === 'start' ? 'start' : 'command'}${isOld ? ', old' : ''}`)
      scene.attach(fuse)
      await migrateUnderFuse(scope, scene, { env, way, fuse })
      scene.attach(undefined)
      const half = await checkNotHalf(query, before, whole)
      const repeated = await repeatCommand(scope, env, ['migrate'])
      const damages = [
        ...half,
        ...repeated,
        ...(await checkMigrations(query)),
        ...(await checkSchema(query, whole)),
        ...(await checkPeople(query, isOld ? OLD_USERS : 0)),
      ]
      await runSql(url, `DROP DATABASE ${name} WITH (FORCE)`)
      return { killed: way, damages }
    }
    return round
  },
}

interface Migrating {
  readonly env: CrashScene['env']
  readonly way: 'command' | 'start' | 'server'
  readonly fuse: Fuse
}

async function migrateUnderFuse(
  scope: Scope,
  { postgres }: CrashScene,
  { env, way, fuse }: Migrating,
): Promise<void> {
  if (way === 'start') return await startUnderFuse(scope, env, fuse)
  let down: Promise<void> | undefined
  await runUnderFuse(scope, env, ['migrate'], {
    fuse,
    kill(child) {
      child.kill('SIGKILL')
      if (way === 'server') down = postgres.kill()
    },
  })
  await down
  if (down) await postgres.start()
}

/** Until a start or a command has come to its end, the schema is the one before or the whole one. */
async function checkNotHalf(
  query: Query,
  before: readonly string[],
  whole: readonly string[],
): Promise<Damage[]> {
  // A connection that was killed may still be at work on its last statement.
  await until('the end of what was killed', async () => {
    const [row] = await query<{ others: number }>(
      `SELECT count(*)::int AS others FROM pg_stat_activity
       WHERE datname = current_database() AND pid <> pg_backend_pid()`,
    )
    return row?.others === 0
  })
  const found = await readSchema(query)
  const isBefore = found.join('\n') === before.join('\n')
  return isBefore ? [] : await checkSchema(query, whole)
}

/** Nobody of before was lost, and whoever was there has what later migrations add. */
async function checkPeople(query: Query, count: number): Promise<Damage[]> {
  const [row] = await query<{ users: number; keyed: number }>(
    `SELECT count(*)::int AS users, count(username_key)::int AS keyed FROM users`,
  )
  if (row?.users === count && row.keyed === count) return []
  return [
    { invariant: 'answer_kept', detail: `${row?.users} users of ${count}, ${row?.keyed} keys` },
  ]
}

async function makeFirstRelease(scope: Scope, url: string): Promise<void> {
  const directory = mkdtempSync(join(tmpdir(), 'lineage-migrations-'))
  scope.teardown(() => rmSync(directory, { recursive: true, force: true }))
  for (const name of FIRST) {
    cpSync(join(ROOT, 'prisma/migrations', name), join(directory, name), { recursive: true })
  }
  await runSql(url, emptyDatabaseSql('first', 'UTF8'))
  const database = openDatabase(withName(url, 'first'))
  await applyMigrations(database.pool, { directory: pathToFileURL(`${directory}/`) })
  const ids = Array.from({ length: OLD_USERS }, () => randomUUID())
  await database.pool.query(
    `INSERT INTO users (id, username, username_key, email, email_key, password_hash)
     SELECT id, 'User' || n, 'user' || n, 'user' || n || '@example.com', 'user' || n || '@example.com',
       '$argon2id$v=19$m=1024,t=1,p=1$c2FsdHNhbHRzYWx0$aGFzaGhhc2hoYXNoaGFzaA'
     FROM unnest($1::uuid[]) WITH ORDINALITY AS given (id, n)`,
    [ids],
  )
  await database.close()
  await until('nobody on it', async () => {
    const others = "SELECT FROM pg_stat_activity WHERE datname = 'first'"
    return (await queryOnce(url, others)).length === 0
  })
}

const runSql = (url: string, sql: string) => asAdmin(url, (client) => client.query(sql))

function withName(url: string, name: string): string {
  const named = new URL(url)
  named.pathname = `/${name}`
  return named.href
}

const queryOf =
  (url: string, name: string): Query =>
  (sql, values) =>
    queryOnce(withName(url, name), sql, values)

export const SCHEMA_ACTS = { migration } as const satisfies Record<string, Act>
