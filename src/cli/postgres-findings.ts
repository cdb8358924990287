// What `lineage doctor` looks at in PostgreSQL: the way there, its version, its clock, the tables.

import { type Database, guardDatabase } from '../database/database.ts'
import { contactDatabase, DatabaseRefused } from '../database/first-contact.ts'
import { listPendingMigrations } from '../database/migrations.ts'
import type { Clock } from '../runtime/clock.ts'
import { DependencyUnavailable } from '../runtime/dependency-unavailable.ts'
import { StartError } from '../runtime/start-error.ts'
import { checkClock } from './clock-finding.ts'
import { type Finding, fail, ok, skip } from './finding.ts'

/** The first version with gen_random_uuid(). */
const VERSION_MIN = 13

const CHECK = 'postgresql'
/** The check of the tables, which others need. */
export const MIGRATIONS = 'migrations'

/** Stops at a failure after which nothing else can be checked. */
export async function examinePostgres(database: Database, clock: Clock): Promise<Finding[]> {
  let facts: ServerFacts
  try {
    facts = await readFacts(database, clock)
  } catch (error) {
    const isRefusal = error instanceof DatabaseRefused
    if (!isRefusal && !(error instanceof DependencyUnavailable)) throw error
    const reason = isRefusal ? 'PostgreSQL refuses' : 'PostgreSQL does not answer'
    const rest = ['clock', MIGRATIONS].map((check) => skip(check, reason))
    const said = isRefusal ? error.said : error.message
    return [fail(CHECK, said, adviseOn(said)), ...rest]
  }
  return [
    checkServerFacts(facts),
    checkClock('clock', 'PostgreSQL', facts.moments),
    await examineMigrations(database),
  ]
}

interface ServerFacts {
  readonly version: string
  readonly isReadOnly: boolean
  readonly tookMs: number
  /** The server's time, and our own before and after asking for it. */
  readonly moments: readonly [number, number, number]
}

async function readFacts({ pool }: Database, clock: Clock): Promise<ServerFacts> {
  // The first query also has to connect, so its duration says nothing about the clock.
  await contactDatabase(pool)
  const fromMs = clock()
  const { rows } = await guardDatabase(() =>
    pool.query<{ version: string; readonly: string; ms: number }>(
      `SELECT current_setting('server_version') AS version,
         current_setting('transaction_read_only') AS readonly,
         extract(epoch FROM clock_timestamp())::float8 * 1000 AS ms`,
    ),
  )
  const toMs = clock()
  const [row] = rows
  if (!row) throw new Error('PostgreSQL gave no row')
  const { version, ms } = row
  const moments = [fromMs, ms, toMs] as const
  return { version, isReadOnly: row.readonly === 'on', tookMs: toMs - fromMs, moments }
}

function checkServerFacts({ version, isReadOnly, tookMs }: ServerFacts): Finding {
  const detail = `version ${version}, answers in ${Math.round(tookMs)} ms`
  if (Number.parseInt(version, 10) < VERSION_MIN) {
    return fail(CHECK, detail, `use PostgreSQL ${VERSION_MIN} or later`)
  }
  if (isReadOnly) {
    return fail(
      CHECK,
      `${detail}, read-only`,
      'point DATABASE_URL at the primary, not at a replica',
    )
  }
  return ok(CHECK, detail)
}

async function examineMigrations({ pool }: Database): Promise<Finding> {
  try {
    const pending = await listPendingMigrations(pool)
    if (pending.length === 0) return ok(MIGRATIONS, 'all are applied')
    const detail = `pending: ${pending.join(', ')}`
    return fail(MIGRATIONS, detail, 'run `lineage migrate`, or start with LINEAGE_MIGRATE=auto')
  } catch (error) {
    if (!(error instanceof StartError)) throw error
    return fail(MIGRATIONS, error.message, 'restore the files of the release that applied them')
  }
}

function adviseOn(message: string): string {
  if (/pg_hba\.conf/.test(message)) {
    return 'let this user in by pg_hba.conf, or set sslmode in DATABASE_URL if it wants TLS'
  }
  if (/\b28\w{3}\b|SASL/.test(message)) return 'check the user and the password in DATABASE_URL'
  if (/\b42501\b/.test(message)) return 'grant the rights to the user of DATABASE_URL'
  if (/CERT|SSL|TLS|SIGNATURE/i.test(message))
    return 'check sslmode and sslrootcert in DATABASE_URL'
  if (/\b3D\w{3}\b/.test(message)) return 'create the database that DATABASE_URL names'
  if (/ENOTFOUND|EAI_/.test(message)) return 'check the host in DATABASE_URL'
  if (/\b53\w{3}\b/.test(message)) return 'it has no connection left: raise max_connections'
  return 'start PostgreSQL, or check host and port in DATABASE_URL and the network between'
}
