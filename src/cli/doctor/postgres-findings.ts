// What `lineage doctor` looks at in PostgreSQL: the way there, its version, its clock, the tables.

import type { ServiceConfig } from '../../config/service-config.ts'
import { type Database, guardDatabase } from '../../database/database.ts'
import { contactDatabase, DatabaseRefused } from '../../database/first-contact.ts'
import { listNewerMigrations, listPendingMigrations } from '../../database/migrations.ts'
import type { Clock } from '../../runtime/clock.ts'
import { DependencyUnavailable } from '../../runtime/dependency-unavailable.ts'
import { StartError } from '../../runtime/start-error.ts'
import { checkClock } from './clock-finding.ts'
import { examineConnections } from './connection-findings.ts'
import { type Finding, fail, ok, skip, warn } from './finding.ts'
import { measureLatency } from './latency-finding.ts'
import { judgePostgresVersion } from './postgres-version.ts'

const CHECK = 'postgresql'
/** The check of the tables, which others need. */
export const MIGRATIONS = 'migrations'
const LATENCY = 'latency of postgresql'
const CONNECTIONS = 'connections'

/** Stops at a failure after which nothing else can be checked. */
export async function examinePostgres(
  database: Database,
  config: Pick<ServiceConfig, 'workers'>,
  clock: Clock,
): Promise<Finding[]> {
  let facts: ServerFacts
  try {
    facts = await readFacts(database, clock)
  } catch (error) {
    const isRefusal = error instanceof DatabaseRefused
    if (!isRefusal && !(error instanceof DependencyUnavailable)) throw error
    const reason = isRefusal ? 'PostgreSQL refuses' : 'PostgreSQL does not answer'
    const rest = ['clock', LATENCY, CONNECTIONS, MIGRATIONS].map((check) => skip(check, reason))
    const said = isRefusal ? error.said : error.message
    return [fail(CHECK, said, adviseOn(said)), ...rest]
  }
  return [
    checkServerFacts(facts, clock()),
    checkClock('clock', 'PostgreSQL', facts.moments),
    await unlessAway(LATENCY, () =>
      measureLatency(LATENCY, () => guardDatabase(() => database.pool.query('SELECT 1'))),
    ),
    await unlessAway(CONNECTIONS, () => examineConnections(database, config)),
    await examineMigrations(database),
  ]
}

interface ServerFacts {
  readonly version: string
  readonly isReadOnly: boolean
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
  return { version, isReadOnly: row.readonly === 'on', moments }
}

function checkServerFacts({ version, isReadOnly }: ServerFacts, nowMs: number): Finding {
  const finding = judgePostgresVersion(CHECK, version, nowMs)
  if (!isReadOnly || finding.status === 'fail') return finding
  const advice = 'point DATABASE_URL at the primary, not at a replica'
  return fail(CHECK, `${finding.detail}, read-only`, advice)
}

/** One check less where the server went away in between. */
async function unlessAway(check: string, examine: () => Promise<Finding>): Promise<Finding> {
  try {
    return await examine()
  } catch (error) {
    if (!(error instanceof DependencyUnavailable)) throw error
    return fail(check, error.message, adviseOn(error.message))
  }
}

async function examineMigrations({ pool }: Database): Promise<Finding> {
  try {
    const pending = await listPendingMigrations(pool)
    if (pending.length === 0) return await checkNewer(pool)
    const detail = `pending: ${pending.join(', ')}`
    return fail(MIGRATIONS, detail, 'run `lineage migrate`, or start with LINEAGE_MIGRATE=auto')
  } catch (error) {
    if (!(error instanceof StartError)) throw error
    return fail(MIGRATIONS, error.message, 'restore the files of the release that applied them')
  }
}

/** A release before goes on running on them, for as long as an upgrade takes. */
async function checkNewer(pool: Database['pool']): Promise<Finding> {
  const newer = await listNewerMigrations(pool)
  if (newer.length === 0) return ok(MIGRATIONS, 'all are applied')
  const detail = `all are applied, and of a newer release: ${newer.join(', ')}`
  return warn(MIGRATIONS, detail, 'finish the upgrade: this release is older than the database')
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
