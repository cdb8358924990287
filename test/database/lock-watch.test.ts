// A lock that somebody holds on what the migrations need: said early, with its holder, and said
// again by the start that has waited for it to the end.

import pg from 'pg'
import { type Test, test } from 'tap'
import { openDatabase } from '../../src/database/database.ts'
import { applyMigrations, checkMigrations } from '../../src/database/migrations.ts'
import { StartError } from '../../src/runtime/start-error.ts'
import { runHere } from '../support/command-line.ts'
import { serverEnvironment, spawnLineage } from '../support/lineage-process.ts'
import { openTestDatabase } from '../support/postgres.ts'
import { until } from '../support/until.ts'

/** There is a look each second of it but the first two, and one of them is enough. */
const TIMEOUT_MS = 20_000
const LOCKS = {
  'a lock on the table _prisma_migrations': 'LOCK TABLE _prisma_migrations',
  'the migration lock': 'SELECT pg_advisory_xact_lock(72707369)',
}

interface Scene {
  readonly url: string
  readonly holder: pg.Client
  readonly pid: number
  readonly pool: pg.Pool
}

/** A migrated database, and a session beside the service that has begun a transaction. */
async function open(t: Test): Promise<Scene> {
  const { url } = await openTestDatabase(t)
  const database = openDatabase(url)
  t.teardown(() => database.close())
  const holder = new pg.Client({ connectionString: url, application_name: 'a-backup' })
  holder.on('error', () => {})
  await holder.connect()
  t.teardown(() => holder.end())
  await holder.query('BEGIN')
  const { rows } = await holder.query<{ pid: number }>('SELECT pg_backend_pid() AS pid')
  return { url, holder, pid: rows[0]?.pid ?? 0, pool: database.pool }
}

function sentence(lock: string, { pid }: Scene): string {
  return `waits for ${lock}, which pid ${pid} (a-backup) holds, idle in transaction`
}

for (const [lock, statement] of Object.entries(LOCKS)) {
  test(`${lock} held by somebody is named early, and waited for`, async (t) => {
    const scene = await open(t)
    await scene.holder.query(statement)
    const told: string[] = []
    const applied = applyMigrations(scene.pool, { onWait: (text) => void told.push(text) })
    await until('a word of it', () => told[0])
    t.strictSame(told, [sentence(lock, scene)])
    await scene.holder.query('COMMIT')
    t.strictSame(await applied, [])
  })
}

test('a lock that is not given up is named at the end too', async (t) => {
  const scene = await open(t)
  await scene.holder.query(LOCKS['the migration lock'])
  const options = { timeoutMs: TIMEOUT_MS }
  const error = await applyMigrations(scene.pool, options).catch((thrown: unknown) => thrown)
  const said = sentence('the migration lock', scene)
  t.ok(error instanceof StartError)
  t.match(error, { message: `this process ${said}: not given up in 20 s` })
  await scene.holder.query('COMMIT')
  t.strictSame(await applyMigrations(scene.pool), [])
})

test('a check waits for the table too, and goes on when it is given up', async (t) => {
  const scene = await open(t)
  await scene.holder.query('LOCK TABLE _prisma_migrations')
  const told: string[] = []
  const checked = checkMigrations(scene.pool, { onWait: (text) => void told.push(text) })
  const said = await until('a word of it', () => told[0])
  t.equal(said, sentence('a lock on the table _prisma_migrations', scene))
  await scene.holder.query('COMMIT')
  await t.resolves(checked)
})

test('a start and a command say it while they wait, and then do their work', async (t) => {
  const scene = await open(t)
  const [lock] = Object.keys(LOCKS)
  const said = sentence(String(lock), scene)
  await scene.holder.query('LOCK TABLE _prisma_migrations')
  const env = serverEnvironment(scene.url)
  const service = await spawnLineage(t, env)
  t.match(await service.logged('dependency.warning'), {
    dependency: 'postgresql',
    detail: `the start ${said}`,
  })
  const command = runHere(env, ['migrate'])
  await until('both to have looked', async () => {
    const { rows } = await scene.pool.query(
      `SELECT FROM pg_stat_activity
       WHERE query LIKE '%pg_blocking_pids%' AND state = 'idle' AND pid <> pg_backend_pid()`,
    )
    return rows.length === 2
  })
  await scene.holder.query('COMMIT')
  await service.ready()
  t.strictSame(service.log('dependency.down'), [])
  const { code, stderr } = await command
  t.equal(code, 0)
  t.match(stderr, /this command waits for the migration lock, which pid \d+ \(lineage\) holds/)
})
