// The PostgreSQL and the Redis that everybody in the benchmark shares, set up as production is told
// to: commits reach the disk, Redis keeps an AOF that it writes out every second.

import { readStatements } from '../../test/support/counted-calls.ts'
import { runAsAdmin, startPostgres } from '../../test/support/postgres.ts'
import { type RedisProcess, startRedis } from '../../test/support/redis.ts'
import type { Scope } from '../../test/support/scope.ts'

export interface Servers {
  readonly redis: RedisProcess
  /** Through a proxy that writes down each statement. */
  readonly databaseUrl: string
  readonly statements: readonly string[]
  readonly postgresVersion: string
}

export async function startServers(t: Scope): Promise<Servers> {
  const [redis, postgres] = await Promise.all([
    startRedis(t, { args: ['--appendfsync', 'everysec'] }),
    startPostgres(t, []),
  ])
  const wire = await readStatements(t, postgres.url)
  const [row] = (await runAsAdmin(postgres.url, 'SHOW server_version')) as {
    server_version: string
  }[]
  return {
    redis,
    databaseUrl: wire.url,
    statements: wire.statements,
    postgresVersion: row?.server_version ?? 'unknown',
  }
}
