// The built service with its stores, to be attacked, and honest clients who refresh meanwhile.

import { readMember, refreshChain } from '../../bench/load/chains.ts'
import { type LoadResult, runLoad } from '../../bench/load/closed-loop.ts'
import { formRequest } from '../../bench/load/http-connection.ts'
import { PASSWORD } from '../../bench/programs/argon2-cost.ts'
import { BENCH_ADMIN, startLineage } from '../../bench/subjects/lineage.ts'
import { ask, type TokenServer } from '../../bench/subjects/token-server.ts'
import { readStatements } from '../support/counted-calls.ts'
import { type Gauges, readGauges } from '../support/gauges.ts'
import { startPostgres, type TestPostgres } from '../support/postgres.ts'
import { type RedisProcess, startRedis } from '../support/redis.ts'
import type { Scope } from '../support/scope.ts'

export interface HostileScene {
  readonly server: TokenServer
  readonly postgres: TestPostgres
  readonly redis: RedisProcess
  /** Every statement that the service has sent so far. */
  readonly statements: readonly string[]
  /** The body of a login's answer. */
  logIn(index: number): Promise<string>
  adminToken(): Promise<string>
  gauges(): Promise<Gauges>
}

const CHAINS = 8
/** Fewer than the attack with the most connections opens. */
export const MAX_CONNECTIONS = 8_000

export async function openHostileScene(scope: Scope): Promise<HostileScene> {
  const [postgres, redis] = [await startPostgres(scope), await startRedis(scope)]
  const wire = await readStatements(scope, postgres.url)
  const servers = { redis, databaseUrl: wire.url, statements: wire.statements, postgresVersion: '' }
  const server = await startLineage(servers, {
    LINEAGE_REGISTRATION: 'open',
    LINEAGE_MAX_CONNECTIONS: String(MAX_CONNECTIONS),
    // The attackers have thousands of addresses, which a proxy tells of.
    LINEAGE_TRUST_PROXY: '127.0.0.1',
  })
  scope.teardown(() => server.process.stop())
  const { port, usernames, app } = server
  return {
    server,
    postgres,
    redis,
    statements: wire.statements,
    logIn: (index) => {
      const username = usernames[index % usernames.length] ?? ''
      const form = { grant_type: 'password', ...app, username, password: PASSWORD }
      return ask(port, formRequest('/token', form))
    },
    adminToken: async () => {
      const form = { grant_type: 'client_credentials', ...BENCH_ADMIN }
      return readMember(await ask(port, formRequest('/token', form)), 'access_token')
    },
    gauges: () => readGauges(port),
  }
}

export interface Refreshing {
  /** Throws when one was not served. */
  stop(): Promise<LoadResult>
}

/** Honest clients, each over one connection, from now until they are stopped. */
export async function startRefreshing({ server, logIn }: HostileScene): Promise<Refreshing> {
  const fields = { grant_type: 'refresh_token', ...server.app }
  const chains = []
  for (let index = 0; index < CHAINS; index += 1) {
    chains.push(refreshChain('/token', fields, readMember(await logIn(index), 'refresh_token')))
  }
  let isOver = false
  const load = runLoad({ port: server.port, chains, isOver: () => isOver })
  // Whatever fails is told at the stop.
  load.catch(() => {})
  return {
    stop() {
      isOver = true
      return load
    },
  }
}
