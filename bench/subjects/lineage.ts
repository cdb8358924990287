// Lineage as it is run in production: the build, PostgreSQL and Redis, the request log on and read.

import { randomBytes } from 'node:crypto'
import { join } from 'node:path'
import { findFreePort } from '../../src/embedded/free-port.ts'
import { until } from '../../test/support/until.ts'
import { readMember } from '../load/chains.ts'
import { formRequest } from '../load/http-connection.ts'
import { LOG_LEVEL } from '../options.ts'
import { hashPassword } from '../programs/argon2-cost.ts'
import { type MeasuredProcess, startMeasured } from '../support/measured-process.ts'
import type { Servers } from '../support/servers.ts'
import { ask, type TokenServer } from './token-server.ts'

const MAIN = join(import.meta.dirname, '../../dist/main.js')
const USERS = 32
const START_TIMEOUT_MS = 60_000
export const BENCH_ADMIN = {
  client_id: 'bench-admin',
  client_secret: randomBytes(24).toString('hex'),
}
const ROOT_SECRET = randomBytes(32).toString('base64url')

/** Spawns one and waits for nothing; `settings` are environment variables besides those of all. */
export async function spawnLineage(
  servers: Servers,
  settings: Readonly<Record<string, string>> = {},
  nodeArguments: readonly string[] = [],
): Promise<{ process: MeasuredProcess; port: number }> {
  const port = await findFreePort()
  const env = {
    PORT: String(port),
    LOG_LEVEL,
    DATABASE_URL: servers.databaseUrl,
    REDIS_URL: servers.redis.url,
    LINEAGE_ISSUER: 'http://localhost:3000',
    LINEAGE_SECRET_KEY: ROOT_SECRET,
    LINEAGE_ADMIN_CLIENT_ID: BENCH_ADMIN.client_id,
    LINEAGE_ADMIN_CLIENT_SECRET: BENCH_ADMIN.client_secret,
    // Longer than the benchmark lasts.
    LINEAGE_ACCESS_TOKEN_TTL_SECONDS: '3600',
    ...settings,
  }
  return { port, process: startMeasured(MAIN, env, ['--enable-source-maps', ...nodeArguments]) }
}

export async function startLineage(
  servers: Servers,
  settings: Readonly<Record<string, string>> = {},
  nodeArguments: readonly string[] = [],
): Promise<TokenServer> {
  const { process, port } = await spawnLineage(servers, settings, nodeArguments)
  const isReady = async () => {
    if (process.child.exitCode !== null) throw new Error('Lineage did not start')
    const answer = await fetch(`http://127.0.0.1:${port}/readyz`).catch(() => undefined)
    return answer?.status === 200
  }
  await until('Lineage', isReady, START_TIMEOUT_MS)
  const admin = await openAdmin(port)
  const app = await admin('clients', {
    name: 'app',
    type: 'public',
    grantTypes: ['password', 'refresh_token'],
  })
  const service = await admin('clients', {
    name: 'service',
    type: 'confidential',
    grantTypes: ['client_credentials'],
  })
  return {
    process,
    port,
    redis: servers.redis,
    usernames: await makeUsers(admin, `user-${port}`),
    app: { client_id: app.id },
    service: { client_id: service.id, client_secret: service.clientSecret },
    introspectPath: '/introspect',
    revokePath: '/revoke',
    verifyPath: '/verify',
    jwksPath: '/.well-known/jwks.json',
    metadataPath: '/.well-known/oauth-authorization-server',
  }
}

type Admin = (path: string, body: object) => Promise<{ id: string; clientSecret: string }>

async function openAdmin(port: number): Promise<Admin> {
  const grant = formRequest('/token', { grant_type: 'client_credentials', ...BENCH_ADMIN })
  const token = readMember(await ask(port, grant), 'access_token')
  return async (path, body) => {
    const answer = await fetch(`http://127.0.0.1:${port}/admin/${path}`, {
      method: 'POST',
      body: JSON.stringify(body),
      headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
    })
    if (answer.status !== 201) throw new Error(await answer.text())
    return (await answer.json()) as { id: string; clientSecret: string }
  }
}

async function makeUsers(admin: Admin, prefix: string): Promise<string[]> {
  const passwordHash = await hashPassword()
  const names = Array.from({ length: USERS }, (_, index) => `${prefix}-${index}`)
  for (const username of names) {
    await admin('users', { username, email: `${username}@example.com`, passwordHash })
  }
  return names
}
