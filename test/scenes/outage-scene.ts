// What the tests of outages share: a service with its own Redis and PostgreSQL, one call of every
// kind while one of them is away, and what each of them must say then (docs/semantics.md §12).

import type { Test } from 'tap'
import { ADMIN, ISSUER, type LogLine, logIn } from '../support/app.ts'
import {
  type LineageProcess,
  refresh,
  serverEnvironment,
  startLineage,
} from '../support/lineage-process.ts'
import { startPostgres, type TestPostgres } from '../support/postgres.ts'
import { type RedisProcess, startRedis } from '../support/redis.ts'
import { until } from '../support/until.ts'

/**
 * The promise is 2 s; the machine may be busy. A paused server never answers: what ends is ours.
 */
const WAIT_MAX_MS = 5_000
/** The promise is 5 s. */
const BACK_MAX_MS = 10_000

export interface OutageScene {
  readonly service: LineageProcess
  readonly client: { readonly id: string }
  readonly watcher: { readonly id: string; readonly secret: string }
  readonly user: { readonly id: string; readonly username: string; readonly password: string }
  readonly adminToken: string
  readonly redis: RedisProcess
  readonly postgres: TestPostgres
}

export async function openOutageScene(t: Test): Promise<OutageScene> {
  const [postgres, redis] = await Promise.all([startPostgres(t), startRedis(t)])
  const env = { ...serverEnvironment(postgres.url, redis.url), LINEAGE_REGISTRATION: 'open' }
  const service = await startLineage(t, env)
  // Its tokens are for the service itself too, so that they open /users/me.
  const client = await service.makeClient({ audiences: [ISSUER] })
  const watcher = await service.makeClient({
    type: 'confidential',
    grantTypes: ['client_credentials'],
    scopes: ['lineage:introspect'],
  })
  const user = await service.makeUser()
  const granted = await service.form('/token', asClient(ADMIN))
  const { access_token: adminToken } = (await granted.json()) as { access_token: string }
  return { service, client, watcher, user, adminToken, redis, postgres }
}

function asClient({ id, secret }: { id: string; secret: string }) {
  return { grant_type: 'client_credentials', client_id: id, client_secret: secret }
}

export interface Outage {
  readonly down: 'redis' | 'postgresql'
  /** What answers 200 or 201 all the same. */
  readonly works: readonly CallName[]
  readonly begin: () => void | Promise<void>
  readonly end: () => void | Promise<void>
}

type CallName = keyof ReturnType<typeof startCalls>

/** Nobody waits long, nothing is said that is not so, and all of it comes back. */
export async function checkOutage(t: Test, scene: OutageScene, outage: Outage): Promise<void> {
  const { service, client, user } = scene
  const logged = service.log().length
  const survivor = await logIn(service, client, user)
  const revoked = await logIn(service, client, user)
  const tokens = {
    access: survivor.access_token,
    refresh: survivor.refresh_token,
    revoke: revoked.refresh_token,
  }
  await outage.begin()
  await checkCalls(t, scene, outage, tokens, 'the moment it goes')
  await checkReadiness(t, service, outage.down)
  await checkCalls(t, scene, outage, tokens, 'while it is away')
  const refusal = await refresh(service, client, tokens.revoke)
  const isEnded = outage.down === 'postgresql'
  t.equal(refusal.status, isEnded ? 400 : 503, 'the revocation holds where the families are')
  checkReasons(t, service.log().slice(logged), outage)

  await outage.end()
  const backMs = await timeUntilBack(t, scene, tokens)
  t.ok(backMs < BACK_MAX_MS, `back after ${backMs} ms`)
  await until('readiness', async () => (await service.readiness()).body.status === 'ok')
  t.equal((await scene.service.form('/revoke', revocation(client, tokens.revoke))).status, 200)
}

interface Tokens {
  readonly access: string
  readonly refresh: string
  readonly revoke: string
}

async function checkCalls(
  t: Test,
  scene: OutageScene,
  { down, works }: Outage,
  tokens: Tokens,
  moment: string,
): Promise<void> {
  const from = performance.now()
  let slowestMs = 0
  const calls = Object.entries(startCalls(scene, tokens)).map(async ([name, call]) => {
    const answer = await call
    const body = await answer.text()
    slowestMs = Math.max(slowestMs, performance.now() - from)
    const about = `${name}, ${moment} (${down})`
    if (works.includes(name as CallName)) {
      t.ok(answer.ok, `${about}: works (${answer.status})`)
      return
    }
    t.equal(answer.status, 503, about)
    t.match(body, 'temporarily_unavailable', about)
    t.match(answer.headers.get('retry-after'), /^[1-9]\d*$/, `${about}: Retry-After (C22)`)
  })
  await Promise.all(calls)
  t.ok(slowestMs < WAIT_MAX_MS, `${moment} the slowest answer took ${Math.round(slowestMs)} ms`)
}

/** One call of every kind at once. */
function startCalls(scene: OutageScene, tokens: Tokens) {
  const { service, client, watcher, user, adminToken } = scene
  const { grant_type: _, ...watching } = asClient(watcher)
  const name = `u${Math.random().toString(36).slice(2)}`
  const account = { username: name, email: `${name}@example.test`, password: 'correct horse' }
  const bearing = (token: string) => ({ headers: { authorization: `Bearer ${token}` } })
  return {
    clientCredentials: service.form('/token', asClient(watcher)),
    jwks: service.fetch('/.well-known/jwks.json'),
    metadata: service.fetch('/.well-known/oauth-authorization-server'),
    liveness: service.fetch('/livez'),
    refresh: refresh(service, client, tokens.refresh),
    introspection: service.form('/introspect', { ...watching, token: tokens.access }),
    verification: service.fetch('/verify', bearing(tokens.access)),
    revocation: service.form('/revoke', revocation(client, tokens.revoke)),
    login: service.form('/token', {
      grant_type: 'password',
      client_id: client.id,
      username: user.username,
      password: user.password,
    }),
    registration: service.fetch('/users', {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify(account),
    }),
    ownAccount: service.fetch('/users/me', bearing(tokens.access)),
    admin: service.fetch('/admin/users', bearing(adminToken)),
  }
}

function revocation(client: { id: string }, token: string) {
  return { client_id: client.id, token }
}

async function checkReadiness(t: Test, service: LineageProcess, down: Outage['down']) {
  const degraded = await until('readiness to notice', async () => {
    const readiness = await service.readiness()
    return readiness.body.status !== 'ok' && readiness
  })
  const dependencies = { postgresql: 'ok', redis: 'ok', [down]: 'down' }
  t.equal(degraded.code, 200)
  t.match(degraded.body, { status: 'degraded', dependencies })
}

/** Every 503 is the dead server's, and none hides a fault of ours. */
function checkReasons(t: Test, log: readonly LogLine[], { down }: Outage): void {
  const failures = log
    .filter(({ event }) => event === 'request.failed')
    .map(({ err }) => err as { name: string; message: string })
  t.not(failures.length, 0)
  t.strictSame([...new Set(failures.map(({ name }) => name))], ['DependencyUnavailable'])
  const others = failures.filter(({ message }) => !message.startsWith(`${down} is unavailable: `))
  t.strictSame(others, [])
}

/** Until a refresh works again. The first answer about what was revoked meanwhile is a refusal. */
async function timeUntilBack(t: Test, scene: OutageScene, tokens: Tokens): Promise<number> {
  const { service, client } = scene
  const from = performance.now()
  const wasRevoked = until('an answer about the revoked token', async () => {
    const { status } = await refresh(service, client, tokens.revoke)
    return status !== 503 && status
  })
  const survives = until('an answer about the other token', async () => {
    const { status } = await refresh(service, client, tokens.refresh)
    return status !== 503 && status
  })
  t.equal(await wasRevoked, 400, 'what was revoked is refused from the first answer on')
  t.equal(await survives, 200, 'what was not, works: no false invalid_grant')
  await until('a login', () => logIn(service, client, scene.user).catch(() => false as const))
  return Math.round(performance.now() - from)
}
