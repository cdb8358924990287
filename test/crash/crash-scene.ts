// The servers of one act, a counted wire to each, and the service on them: killed, started again, walked.

import pg from 'pg'
import { openRootSecrets } from '../../src/secrets/root-secret.ts'
import {
  type Environment,
  type LineageProcess,
  serverEnvironment,
  startLineage,
} from '../support/lineage-process.ts'
import { startPostgres, type TestPostgres } from '../support/postgres.ts'
import { type RedisProcess, startRedis } from '../support/redis.ts'
import { ROOT_SECRET } from '../support/root-secrets.ts'
import type { Scope } from '../support/scope.ts'
import { until } from '../support/until.ts'
import { openCountedWire } from './counted-wire.ts'
import type { Fuse } from './fuse.ts'
import type { Damage } from './invariants.ts'
import type { Query } from './read-users.ts'
import { type WalkOptions, walkStores } from './walk.ts'

export interface CrashScene {
  readonly postgres: TestPostgres
  readonly redis: RedisProcess | undefined
  /** Of the service and the command, by way of the wires. */
  readonly env: Environment
  /** Counts the steps of this one from now on; of none without. */
  attach(fuse: Fuse | undefined): void
  start(more?: Environment): Promise<LineageProcess>
  /** A walk over both stores, past the wires. */
  walk(more?: Partial<WalkOptions>): Promise<Damage[]>
  query: Query
}

export interface CrashSceneOptions {
  /** Families are in PostgreSQL without. */
  readonly withRedis?: boolean
  readonly env?: Environment
}

/** Whoever is asked for a password that was not answered guesses; that is no attack here. */
const PATIENT = { LINEAGE_THROTTLE_EXEMPT: '127.0.0.1' }

export async function openCrashScene(
  scope: Scope,
  { withRedis = true, env: given = {} }: CrashSceneOptions = {},
): Promise<CrashScene> {
  const [postgres, redis] = await Promise.all([
    startPostgres(scope),
    withRedis ? startRedis(scope) : undefined,
  ])
  let fuse: Fuse | undefined
  const wire = (url: string) => openCountedWire(scope, url, () => fuse)
  const [database, store] = await Promise.all([wire(postgres.url), redis && wire(redis.url)])
  const env = { ...serverEnvironment(database.url, store?.url), ...PATIENT, ...given }
  const query: Query = (sql, values) => queryOnce(postgres.url, sql, values)
  return {
    ...{ postgres, redis, env, query },
    attach(next) {
      fuse = next
    },
    start: (more = {}) => startLineage(scope, { ...env, ...more }),
    walk: (more = {}) =>
      walkStores({
        query,
        redisUrl: redis?.url,
        rootSecrets: openRootSecrets([ROOT_SECRET]),
        algs: ['ES256'],
        ...more,
      }),
  }
}

/** As often as it takes: a busy machine may answer that it is not possible now. */
export function patiently<T extends object>(make: () => Promise<T>): Promise<T> {
  return until('what a busy service refuses', () => make().catch(() => undefined))
}

/** Over a connection of its own, because the server may be killed before the next. */
export async function queryOnce<Row>(
  url: string,
  sql: string,
  values: readonly unknown[] = [],
): Promise<Row[]> {
  const client = new pg.Client({ connectionString: url })
  await client.connect()
  try {
    return (await client.query(sql, [...values])).rows as Row[]
  } finally {
    await client.end()
  }
}

/** An answer that was not kept, and other things that only a caller sees. */
export function toDamages(details: readonly string[]): Damage[] {
  return details.map((detail) => ({ invariant: 'answer_kept', detail }))
}
