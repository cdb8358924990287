// Two real processes on one PostgreSQL and one Redis: what one of them answers holds on the other,
// at once for sessions, at the next poll for clients and keys (docs/semantics.md §20).

import { createRemoteJWKSet, decodeJwt, decodeProtectedHeader, jwtVerify } from 'jose'
import { type Test, test } from 'tap'
import { ISSUER, logIn, type TokenAnswer } from '../support/app.ts'
import {
  type LineageProcess,
  refresh,
  serverEnvironment,
  startLineage,
} from '../support/lineage-process.ts'
import { openEmptyDatabase } from '../support/postgres.ts'
import { type RedisProcess, startRedis } from '../support/redis.ts'
import { until } from '../support/until.ts'

const PARALLEL = 64

interface Pair {
  readonly a: LineageProcess
  readonly b: LineageProcess
  readonly client: { readonly id: string }
  readonly user: { readonly id: string; readonly username: string; readonly password: string }
  /** A confidential client that may see every access token. */
  readonly watcher: { readonly id: string; readonly secret: string }
  readonly redis: RedisProcess
}

async function openPair(t: Test): Promise<Pair> {
  const [{ url }, redis] = await Promise.all([openEmptyDatabase(t), startRedis(t)])
  const env = { ...serverEnvironment(url, redis.url), LINEAGE_JWKS_MAX_AGE_SECONDS: '0' }
  const [a, b, c] = await Promise.all([1, 2, 3].map(() => startLineage(t, env)))
  if (!a || !b || !c) throw new Error('three were started')
  const migrated = [a, b, c].flatMap((service) => service.log('database.migrated'))
  t.equal(migrated.length, 1, 'of three that start at once on an empty database one migrates')
  t.equal([a, b, c].flatMap((service) => service.log('key.published')).length, 1, 'and makes a key')
  c.signal('SIGTERM')
  t.strictSame(await c.exited, { code: 0, signal: null })
  const client = await a.makeClient({})
  const user = await a.makeUser()
  const watcher = await a.makeClient({
    type: 'confidential',
    grantTypes: ['client_credentials'],
    scopes: ['lineage:introspect'],
  })
  return { a, b, client, user, watcher, redis }
}

async function tokensOf(answer: Response): Promise<TokenAnswer> {
  if (answer.status !== 200) throw new Error(`${answer.status}: ${await answer.text()}`)
  return (await answer.json()) as TokenAnswer
}

async function isActive(service: LineageProcess, { watcher }: Pair, token: string) {
  const credentials = { client_id: watcher.id, client_secret: watcher.secret }
  const answer = await service.form('/introspect', { ...credentials, token })
  return ((await answer.json()) as { active: boolean }).active
}

async function errorOf(answer: Response): Promise<string> {
  return `${answer.status} ${((await answer.json()) as { error?: string }).error}`
}

async function publishedKids(service: LineageProcess): Promise<string[]> {
  const { keys } = (await (await service.fetch('/.well-known/jwks.json')).json()) as {
    keys: { kid: string }[]
  }
  return keys.map(({ kid }) => kid)
}

test('two instances are one service', async (t) => {
  const pair = await openPair(t)
  const { a, b, client, user, redis } = pair

  await t.test('a client and a user made on A can be used on B soon', async (t) => {
    await until('a login on B', async () =>
      logIn(b, client, user).then(
        () => true,
        () => false,
      ),
    )
    await a.admin('PATCH', `/admin/clients/${client.id}`, { scopes: ['read'] })
    await until('a changed client on B', async () =>
      logIn(b, client, user, { scope: 'read' }).then(
        ({ scope }) => scope === 'read',
        () => false,
      ),
    )
    const gone = await a.makeClient({})
    const { refresh_token: token } = await until('a login there on B', () =>
      logIn(b, gone, user).catch(() => false as const),
    )
    t.equal((await a.admin('DELETE', `/admin/clients/${gone.id}`)).status, 204)
    t.equal(await errorOf(await refresh(a, gone, token)), '401 invalid_client', 'on A at once')
    await until('a deleted client on B', async () => {
      return (await errorOf(await refresh(b, gone, token))) === '401 invalid_client'
    })
  })

  await t.test('a token from A verifies with the keys of B (RFC 9068 §4)', async (t) => {
    const { access_token: token } = await logIn(a, client, user)
    const jwks = createRemoteJWKSet(new URL(`${b.url}/.well-known/jwks.json`))
    const { payload } = await jwtVerify(token, jwks, { issuer: ISSUER, typ: 'at+jwt' })
    t.equal(payload.sub, user.id)
  })

  await t.test('64 refreshes of one token at once have one successor (C59)', async (t) => {
    const { refresh_token: token } = await logIn(a, client, user)
    const calls = Array.from({ length: PARALLEL }, (_, i) => refresh(i % 2 ? a : b, client, token))
    const answers = await Promise.all(calls)
    t.strictSame([...new Set(answers.map(({ status }) => status))], [200])
    const bodies = (await Promise.all(answers.map((answer) => answer.json()))) as TokenAnswer[]
    const successors = new Set(bodies.map((body) => body.refresh_token))
    t.equal(successors.size, 1)
    t.equal(new Set(bodies.map((body) => decodeJwt(body.access_token).jti)).size, 1)
    const [successor = ''] = successors
    t.equal((await refresh(b, client, successor)).status, 200, 'no theft was seen')
  })

  await t.test('a replay on B ends the family on A (C53)', async (t) => {
    const zero = await logIn(a, client, user)
    const one = await tokensOf(await refresh(a, client, zero.refresh_token))
    const two = await tokensOf(await refresh(b, client, one.refresh_token))
    t.equal(await errorOf(await refresh(b, client, zero.refresh_token)), '400 invalid_grant')
    t.equal(await errorOf(await refresh(a, client, two.refresh_token)), '400 invalid_grant')
    t.equal(await isActive(a, pair, two.access_token), false)
    const { subject } = await b.logged('refresh.reuse_detected')
    t.equal(subject, user.id)
  })

  await t.test('a revocation on A is in force on B at once (C86, C87)', async (t) => {
    const session = await logIn(a, client, user)
    t.equal(await isActive(b, pair, session.access_token), true)
    const form = { client_id: client.id, token: session.refresh_token }
    t.equal((await a.form('/revoke', form)).status, 200)
    t.equal(await errorOf(await refresh(b, client, session.refresh_token)), '400 invalid_grant')
    t.equal(await isActive(b, pair, session.access_token), false)
  })

  await t.test('a user who is disabled on A is refused on B at once (C56, C58)', async (t) => {
    const other = await a.makeUser()
    const session = await logIn(b, client, other)
    const disabled = await a.admin('PATCH', `/admin/users/${other.id}`, { status: 'disabled' })
    t.equal(disabled.status, 200)
    t.equal(await errorOf(await refresh(b, client, session.refresh_token)), '400 invalid_grant')
    t.equal(await isActive(b, pair, session.access_token), false)
    await t.rejects(logIn(b, client, other), /invalid_grant/)
  })

  await t.test('keys rotate on A while a verifier keeps its copy (C75)', async (t) => {
    const jwks = createRemoteJWKSet(new URL(`${a.url}/.well-known/jwks.json`), {
      cooldownDuration: Number.POSITIVE_INFINITY,
      cacheMaxAge: Number.POSITIVE_INFINITY,
    })
    const verify = (token: string) => jwtVerify(token, jwks, { issuer: ISSUER, typ: 'at+jwt' })
    await verify((await logIn(a, client, user)).access_token)
    const rotated = await a.admin('POST', '/admin/keys/rotate', {})
    t.equal(rotated.status, 201)
    const { kid, state } = (await rotated.json()) as { kid: string; state: string }
    t.equal(state, 'next')
    t.ok((await publishedKids(a)).includes(kid), 'A publishes it at once')
    await until('the new key on B', async () => (await publishedKids(b)).includes(kid))
    for (const service of [a, b]) {
      const { access_token: token } = await logIn(service, client, user)
      t.not(decodeProtectedHeader(token).kid, kid, 'it does not sign yet')
      t.equal((await verify(token)).payload.sub, user.id)
    }
    t.equal((await a.admin('POST', '/admin/keys/rotate', {})).status, 200, 'one waits already')
  })

  await t.test('a compromised key is gone from B soon', async (t) => {
    const { access_token: old } = await logIn(b, client, user)
    const rotated = await a.admin('POST', '/admin/keys/rotate', { compromised: true })
    t.equal(rotated.status, 201)
    const { kid } = (await rotated.json()) as { kid: string }
    t.strictSame(await publishedKids(a), [kid])
    t.equal(await isActive(a, pair, old), false)
    await until('only the new key on B', async () => {
      const kids = await publishedKids(b)
      return kids.length === 1 && kids[0] === kid
    })
    t.equal(await isActive(b, pair, old), false)
    const { access_token: fresh } = await logIn(b, client, user)
    t.equal(decodeProtectedHeader(fresh).kid, kid)
    t.equal(await isActive(a, pair, fresh), true)
  })

  await t.test('what A did not answer when it was killed, B answers (C60)', async (t) => {
    const sessions = await Promise.all(Array.from({ length: 8 }, () => logIn(a, client, user)))
    const before = b.log('refresh.retried').length
    redis.pause()
    const lost = sessions.map(({ refresh_token: token }) => refresh(a, client, token))
    for (const answer of lost) answer.catch(() => {})
    // Once A has answered this it has sent those on; Redis finds them when it wakes.
    for (let i = 0; i < 3; i += 1) await a.fetch('/livez')
    a.signal('SIGKILL')
    await a.exited
    redis.resume()
    t.strictSame(
      [...new Set((await Promise.allSettled(lost)).map((call) => call.status))],
      ['rejected'],
    )
    const retries = sessions.map(({ refresh_token: token }) => refresh(b, client, token))
    const statuses = (await Promise.all(retries)).map(({ status }) => status)
    t.strictSame([...new Set(statuses)], [200])
    await until(
      'a rotation that nobody was told of',
      () => b.log('refresh.retried').length > before,
    )
  })
})
