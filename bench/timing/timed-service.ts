// The service whose logins are timed, in a process and with a database of its own: as it is shipped, or
// with a leak that the measurement has to find.

import { randomBytes } from 'node:crypto'
import { join } from 'node:path'
import { findFreePort } from '../../src/embedded/free-port.ts'
import { startPostgres } from '../../test/support/postgres.ts'
import type { Scope } from '../../test/support/scope.ts'
import { until } from '../../test/support/until.ts'
import { readMember } from '../load/chains.ts'
import { formRequest } from '../load/http-connection.ts'
import { ask } from '../subjects/token-server.ts'
import { startMeasured } from '../support/measured-process.ts'
import type { Admin } from './login-classes.ts'

const MAIN = join(import.meta.dirname, '../../dist/main.js')
const LEAKY = join(import.meta.dirname, 'leaky-service.ts')
const START_TIMEOUT_MS = 60_000
const ADMIN = { client_id: 'bench-admin', client_secret: randomBytes(24).toString('hex') }

/** Cheap, so that thousands of logins take minutes: what leaks beside the hashing shows all the more. */
const CHEAP_HASHES = {
  LINEAGE_ARGON2_MEMORY_KIB: '1024',
  LINEAGE_ARGON2_TIME: '1',
  LINEAGE_PASSWORD_BLOCKLIST: 'off',
}

/** Its port, and what changes its users; `leak` as leaky-service.ts names them. */
export async function startTimedService(
  scope: Scope,
  leak?: string,
): Promise<{ port: number; admin: Admin }> {
  const { url } = await startPostgres(scope, [])
  const port = await findFreePort()
  const env = {
    ...CHEAP_HASHES,
    PORT: String(port),
    LOG_LEVEL: 'warn',
    DATABASE_URL: url,
    LINEAGE_ISSUER: 'http://localhost:3000',
    LINEAGE_SECRET_KEY: randomBytes(32).toString('base64url'),
    LINEAGE_ADMIN_CLIENT_ID: ADMIN.client_id,
    LINEAGE_ADMIN_CLIENT_SECRET: ADMIN.client_secret,
    LINEAGE_ACCESS_TOKEN_TTL_SECONDS: '3600',
    // All of the guesses come from one source.
    LINEAGE_THROTTLE: 'off',
  }
  const { child, stop } =
    leak === undefined
      ? startMeasured(MAIN, env, ['--enable-source-maps'])
      : startMeasured(LEAKY, { ...env, BENCH_LEAK: leak }, ['--import=tsx'])
  scope.teardown(stop)
  const isReady = async () => {
    if (child.exitCode !== null) throw new Error('the service did not start')
    const answer = await fetch(`http://127.0.0.1:${port}/readyz`).catch(() => undefined)
    return answer?.status === 200
  }
  await until('the service', isReady, START_TIMEOUT_MS)
  return { port, admin: await openAdmin(port) }
}

async function openAdmin(port: number): Promise<Admin> {
  const grant = formRequest('/token', { grant_type: 'client_credentials', ...ADMIN })
  const token = readMember(await ask(port, grant), 'access_token')
  return async (method, path, body) => {
    const answer = await fetch(`http://127.0.0.1:${port}/admin/${path}`, {
      method,
      body: JSON.stringify(body),
      headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
    })
    if (!answer.ok) throw new Error(await answer.text())
    return (await answer.json()) as { id: string }
  }
}
