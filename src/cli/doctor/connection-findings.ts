// What `lineage doctor` says of the connections that PostgreSQL has to give, and how many of them the
// instances take when all of them are busy.

import type { ServiceConfig } from '../../config/service-config.ts'
import {
  APPLICATION_NAMES,
  type Database,
  guardDatabase,
  POOL_SIZE,
  WATCH_SIZE,
} from '../../database/database.ts'
import { shareOf } from '../../runtime/process-group.ts'
import { POOL_SIZE_MIN } from '../../wiring/foundation.ts'
import { countWorkers } from '../../workers/worker-count.ts'
import { type Finding, fail, ok, warn } from './finding.ts'

const CHECK = 'connections'

export interface ConnectionFacts {
  /** What the server gives to whoever is no superuser, by all of its limits. */
  readonly available: number
  /** Those that anybody holds at this moment. */
  readonly used: number
  /** Processes of Lineage, each of which holds one connection of its own to keep watch. */
  readonly processes: number
  /** Somebody between us and the server shares its connections out. */
  readonly isPooled: boolean
}

/** Rejects with DependencyUnavailable. */
export async function examineConnections(
  database: Database,
  config: Pick<ServiceConfig, 'workers'>,
): Promise<Finding> {
  const workers = countWorkers({ mode: 'server', workers: config.workers })
  return judgeConnections(await readConnectionFacts(database), workers)
}

/** `workers` is the number of processes of one instance, the same everywhere as it is here. */
export function judgeConnections(facts: ConnectionFacts, workers: number): Finding {
  const { available, used, processes, isPooled } = facts
  const each = shareOf(POOL_SIZE, { size: workers }, POOL_SIZE_MIN) + WATCH_SIZE
  const seen = Math.max(processes, workers)
  const wanted = seen * each
  const others = Math.max(0, used - processes * each)
  const whose = processes === 0 ? 'no process runs; one instance takes' : `${processes} take`
  const detail = isPooled
    ? `${used} of ${available} in use; a pooler stands in between`
    : `${used} of ${available} in use; ${whose} up to ${wanted} (${each} each)`
  const advice = 'raise max_connections, run fewer processes, or put a pooler in between'
  if (isPooled) {
    const ofPooler = 'raise the limit of the server, or let the pooler keep fewer to it'
    return used >= available * 0.9 ? warn(CHECK, detail, ofPooler) : ok(CHECK, detail)
  }
  if (wanted > available) return fail(CHECK, detail, advice)
  // While instances are replaced, one more of them is there.
  return wanted + others + workers * each > available
    ? warn(CHECK, `${detail}: no room for one instance more during an upgrade`, advice)
    : ok(CHECK, detail)
}

async function readConnectionFacts({ pool }: Database): Promise<ConnectionFacts> {
  return await guardDatabase(async () => {
    const client = await pool.connect()
    try {
      const { rows } = await client.query<Omit<ConnectionFacts, 'isPooled'> & { pid: number }>(
        FACTS,
        [APPLICATION_NAMES.watch],
      )
      const [row] = rows
      if (!row) throw new Error('PostgreSQL gave no row')
      const { pid, ...facts } = row
      // A pooler makes up a process id for its clients.
      return { ...facts, isPooled: pid !== Number(Reflect.get(client, 'processID')) }
    } finally {
      client.release()
    }
  })
}

// A limit of -1 is none. reserved_connections came with version 16.
const FACTS = `SELECT pg_backend_pid() AS pid,
  LEAST(
    current_setting('max_connections')::int
      - current_setting('superuser_reserved_connections')::int
      - COALESCE(current_setting('reserved_connections', true)::int, 0),
    (SELECT NULLIF(rolconnlimit, -1) FROM pg_roles WHERE rolname = current_user),
    (SELECT NULLIF(datconnlimit, -1) FROM pg_database WHERE datname = current_database())
  ) AS available,
  count(*)::int AS used,
  (count(*) FILTER (WHERE application_name = $1 AND datname = current_database()))::int AS processes
  FROM pg_stat_activity WHERE backend_type = 'client backend'`
