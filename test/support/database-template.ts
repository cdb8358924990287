// The database that every migrated test database is a copy of: made once a server and a state of the
// migrations, by whichever test needs it first.

import { createHash, randomBytes } from 'node:crypto'
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import pg from 'pg'
import { openDatabase } from '../../src/database/database.ts'
import { applyMigrations } from '../../src/database/migrations.ts'
import { asAdmin } from './admin-connection.ts'

const MIGRATIONS = join(import.meta.dirname, '../../prisma/migrations')
const MISSING_DATABASE = '3D000'
/** Any number that nobody else takes on the server's database postgres. */
const LOCK_ID = 20261129

/** SQL for an empty database: as the server would make it with nothing of its own in it. */
export function emptyDatabaseSql(name: string, encoding: string): string {
  return `CREATE DATABASE ${name} TEMPLATE template0 STRATEGY file_copy
    ENCODING '${encoding}' LC_COLLATE 'C' LC_CTYPE 'C'`
}

/** Makes a database with every table of the service and no row of anybody's. */
export async function createMigrated(serverUrl: string, name: string): Promise<void> {
  const template = `lineage_template_${hashOfMigrations()}`
  // Copying the files takes less than half of the time that the write-ahead log would take.
  const sql = `CREATE DATABASE ${name} TEMPLATE ${template} STRATEGY file_copy`
  await asAdmin(serverUrl, async (admin) => {
    try {
      await admin.query(sql)
    } catch (error) {
      if (!(error instanceof pg.DatabaseError) || error.code !== MISSING_DATABASE) throw error
      await makeTemplate(admin, serverUrl, template)
      await admin.query(sql)
    }
  })
}

async function makeTemplate(admin: pg.Client, serverUrl: string, template: string): Promise<void> {
  await admin.query(`SELECT pg_advisory_lock(${LOCK_ID})`)
  try {
    const made = await admin.query('SELECT FROM pg_database WHERE datname = $1', [template])
    if (made.rowCount) return
    // Under another name until it is complete: a copy fails while somebody is connected to it.
    const draft = `${template}_${randomBytes(4).toString('hex')}`
    await admin.query(emptyDatabaseSql(draft, 'UTF8'))
    await migrate(serverUrl, draft)
    await admin.query(`ALTER DATABASE ${draft} ALLOW_CONNECTIONS false`)
    await endConnections(admin, draft)
    await admin.query(`ALTER DATABASE ${draft} RENAME TO ${template}`)
  } finally {
    await admin.query(`SELECT pg_advisory_unlock(${LOCK_ID})`)
  }
}

async function migrate(serverUrl: string, name: string): Promise<void> {
  const url = new URL(serverUrl)
  url.pathname = `/${name}`
  const database = openDatabase(url.href)
  try {
    await applyMigrations(database.pool)
  } finally {
    await database.close()
  }
}

/** A connection that its client has closed takes the server a moment. */
async function endConnections(admin: pg.Client, name: string): Promise<void> {
  await admin.query(
    'SELECT pg_terminate_backend(pid, 10000) FROM pg_stat_activity WHERE datname = $1',
    [name],
  )
}

/** A server that outlives the run may hold templates of other states. */
function hashOfMigrations(): string {
  const hash = createHash('sha256')
  const paths = readdirSync(MIGRATIONS, { recursive: true, encoding: 'utf8' })
  for (const path of paths.filter((one) => one.endsWith('.sql')).sort()) {
    hash.update(path).update(readFileSync(join(MIGRATIONS, path)))
  }
  return hash.digest('hex').slice(0, 16)
}
