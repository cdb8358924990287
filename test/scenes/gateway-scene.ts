// What stands behind a gateway: a Lineage with its Redis, the clients and the user of the examples,
// and the upstream.

import type { Test } from 'tap'
import { findFreePort } from '../../src/embedded/free-port.ts'
import type { Addresses } from '../interop/gateways/gateway-process.ts'
import {
  type RecordedServer,
  startPassage,
  startUpstream,
} from '../interop/gateways/recorded-server.ts'
import {
  type Environment,
  type LineageProcess,
  serverEnvironment,
  startLineage,
} from '../support/lineage-process.ts'
import { openTestDatabase } from '../support/postgres.ts'
import { type RedisProcess, startRedis } from '../support/redis.ts'

export const OTHER_AUDIENCE = 'https://other-api.example.test'
export const APP_ORIGIN = 'https://app.example.test'

export interface SceneClient {
  readonly id: string
  readonly secret: string
}

export interface Scene {
  readonly lineage: LineageProcess
  readonly env: Environment
  readonly redis: RedisProcess
  /** The way from the gateway to Lineage. */
  readonly passage: RecordedServer
  readonly upstream: RecordedServer
  readonly addresses: Addresses
  readonly user: { readonly id: string; readonly username: string; readonly password: string }
  readonly clients: Readonly<Record<'app' | 'brief' | 'service' | 'browser', SceneClient>>
}

const SCOPES = ['notes:read', 'notes:write']

/** `settings` go into Lineage's environment. */
export async function startScene(t: Test, settings: Environment = {}): Promise<Scene> {
  const [{ url }, redis, port] = await Promise.all([
    openTestDatabase(t),
    startRedis(t),
    findFreePort(),
  ])
  const issuer = `http://localhost:${port}`
  const common = { ...serverEnvironment(url, redis.url), LINEAGE_ISSUER: issuer, ...settings }
  const env = { ...common, PORT: String(port) }
  const lineage = await startLineage(t, env)
  const [passage, upstream] = await Promise.all([startPassage(t, port), startUpstream(t)])
  return {
    lineage,
    env,
    redis,
    passage,
    upstream,
    addresses: { lineagePort: passage.port, upstreamPort: upstream.port, issuer },
    user: await lineage.makeUser({ username: 'ada', roles: ['editor', 'reviewer'] }),
    clients: await makeClients(lineage, issuer),
  }
}

async function makeClients(lineage: LineageProcess, issuer: string): Promise<Scene['clients']> {
  const common = {
    scopes: SCOPES,
    defaultScopes: ['notes:read'],
    audiences: [issuer, OTHER_AUDIENCE],
  }
  return {
    app: await lineage.makeClient({ ...common, id: 'app' }),
    brief: await lineage.makeClient({
      ...common,
      id: 'brief',
      accessTokenTtlSeconds: 3,
      refreshGraceSeconds: 0,
    }),
    service: await lineage.makeClient({
      ...common,
      id: 'service',
      type: 'confidential',
      grantTypes: ['client_credentials'],
    }),
    browser: await lineage.makeClient({
      ...common,
      id: 'browser',
      tokenDelivery: 'cookie',
      accessTokenCookie: true,
      allowedOrigins: [APP_ORIGIN],
    }),
  }
}
