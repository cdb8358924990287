// Two instances that reach one PostgreSQL and one Redis over wires that can be cut, and who asks them.

import { openTcpProxy, type TcpProxy } from '../contract/tcp-proxy.ts'
import { makeKeyClient, newKey, type SigningKey } from '../scenes/assertion-scene.ts'
import { ISSUER } from '../support/app.ts'
import { type LineageProcess, serverEnvironment, startLineage } from '../support/lineage-process.ts'
import { startPostgres, type TestPostgres } from '../support/postgres.ts'
import { type RedisProcess, startRedis } from '../support/redis.ts'
import type { Scope } from '../support/scope.ts'

export interface Server<Process> {
  readonly process: Process
  /** What both instances reach it through. */
  readonly wire: TcpProxy
}

export interface OutageClient {
  readonly id: string
  readonly secret: string
}

export interface OutageScene {
  readonly instances: readonly LineageProcess[]
  readonly postgres: Server<TestPostgres>
  readonly redis: Server<RedisProcess>
  /** Public, with tokens that open /users/me. */
  readonly app: OutageClient
  /** Confidential, and may introspect what is not its own. */
  readonly watcher: OutageClient
  /** Proves itself by assertions, each of which is good once. */
  readonly keyed: { readonly id: string; readonly key: SigningKey }
}

/** Few enough connections that they can be taken away, and no disk that is waited for. */
const SETTINGS = ['fsync=off', 'full_page_writes=off', 'max_connections=60']
const INSTANCES = 2

/** `direct` where no fault is about wires: they run in this process, and are slow where it is. */
export async function openOutageScene(scope: Scope, way: 'wired' | 'direct'): Promise<OutageScene> {
  const [database, store] = await Promise.all([startPostgres(scope, SETTINGS), startRedis(scope)])
  const [postgres, redis] = [await behindWire(scope, database), await behindWire(scope, store)]
  const env = {
    ...(way === 'wired'
      ? serverEnvironment(postgres.url, redis.url)
      : serverEnvironment(database.url, store.url)),
    LINEAGE_REGISTRATION: 'open',
    // Every caller has one address, and none of them guesses.
    LINEAGE_THROTTLE_EXEMPT: '127.0.0.1',
  }
  // The first one migrates, the others find everything there.
  const first = await startLineage(scope, env)
  const further = Array.from({ length: INSTANCES - 1 }, () => startLineage(scope, env))
  const instances = [first, ...(await Promise.all(further))]
  const key = newKey('a')
  return {
    instances,
    postgres,
    redis,
    app: await first.makeClient({ audiences: [ISSUER] }),
    watcher: await first.makeClient({
      type: 'confidential',
      grantTypes: ['client_credentials'],
      scopes: ['lineage:introspect'],
    }),
    keyed: { key, id: await makeKeyClient(first, [key]) },
  }
}

async function behindWire<Process extends { readonly url: string }>(
  scope: Scope,
  process: Process,
): Promise<Server<Process> & { readonly url: string }> {
  const url = new URL(process.url)
  const wire = await openTcpProxy(scope, { host: '127.0.0.1', port: Number(url.port) })
  url.hostname = '127.0.0.1'
  url.port = String(wire.port)
  return { process, wire, url: url.href }
}
