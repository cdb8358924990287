// What a request costs outside of this process (docs/semantics.md §3): counted where it arrives, at
// Redis by MONITOR, at PostgreSQL by reading the wire.

import { setTimeout as delay } from 'node:timers/promises'
import { type Test, test } from 'tap'
import { parseRedisUrl } from '../../../src/config/redis-url.ts'
import { garbageRequest } from '../../hostile/garbage-requests.ts'
import { logIn, startApp, type TestApp, type TokenAnswer } from '../../support/app.ts'
import { monitorCommands, POLL, readStatements } from '../../support/counted-calls.ts'
import { openTestDatabase } from '../../support/postgres.ts'
import { startRedis } from '../../support/redis.ts'
import { until } from '../../support/until.ts'

const REQUESTS = 20
/** Longer than the poll's turn, in which it may still reload what was changed before. */
const QUIET_MS = 2_500

interface Scene {
  readonly app: TestApp
  /** The SQL and the Redis commands that `work` causes, without the poll's. */
  countDuring(work: () => Promise<void>): Promise<{ sql: string[]; commands: string[] }>
}

async function openScene(t: Test): Promise<Scene> {
  const [database, redis] = await Promise.all([openTestDatabase(t), startRedis(t)])
  const wire = await readStatements(t, database.url)
  const app = await startApp(t, {
    beside: { databaseUrl: wire.url },
    config: { redis: parseRedisUrl(redis.url) },
  })
  await until('Redis', async () => (await app.service.health.readiness()).status === 'ok')
  const monitor = await monitorCommands(t, redis.port)
  return {
    app,
    async countDuring(work) {
      await untilQuiet(wire.statements)
      const from = { sql: wire.statements.length, commands: await monitor.seen() }
      await work()
      const commands = (await monitor.commands()).slice(from.commands)
      const ours = (text: string) => !POLL.test(text)
      return {
        sql: wire.statements.slice(from.sql).filter(ours),
        commands: commands.filter(ours),
      }
    },
  }
}

async function untilQuiet(statements: readonly string[]): Promise<void> {
  const ours = () => statements.filter((text) => !POLL.test(text)).length
  for (let before = -1; before !== ours(); ) {
    before = ours()
    await delay(QUIET_MS)
  }
}

test('a refresh is one round trip to Redis and no SQL', async (t) => {
  const { app, countDuring } = await openScene(t)
  const [client, user] = [await app.makeClient({}), await app.makeUser()]
  let { refresh_token: token } = await logIn(app, client, user)
  const { sql, commands } = await countDuring(async () => {
    for (let i = 0; i < REQUESTS; i += 1) {
      const answer = await app.form('/token', {
        grant_type: 'refresh_token',
        client_id: client.id,
        refresh_token: token,
      })
      t.equal(answer.status, 200)
      token = ((await answer.json()) as TokenAnswer).refresh_token
    }
  })
  t.strictSame(sql, [])
  t.strictSame(
    commands.map((command) => command.split(' ')[0]?.toLowerCase()),
    [...Array.from({ length: REQUESTS }, () => 'evalsha')],
  )
})

test('/verify is one round trip to Redis and no SQL, for users and for clients', async (t) => {
  const { app, countDuring } = await openScene(t)
  const [client, user] = [await app.makeClient({}), await app.makeUser()]
  const { access_token: token } = await logIn(app, client, user)
  const tokens = [token, await app.adminToken()]
  const { sql, commands } = await countDuring(async () => {
    for (let i = 0; i < REQUESTS; i += 1) {
      const headers = { authorization: `Bearer ${tokens[i % 2]}` }
      t.equal((await app.fetch('/verify', { headers })).status, 200)
      t.equal(
        (await app.fetch('/verify?scope=no&scope=no', { headers })).status,
        401,
        'asks nobody',
      )
    }
  })
  t.strictSame(sql, [])
  t.equal(commands.length, REQUESTS, commands.join())
})

test('a token exchange is one round trip to Redis, and its event the only SQL', async (t) => {
  const { app, countDuring } = await openScene(t)
  const grant = 'urn:ietf:params:oauth:grant-type:token-exchange'
  const [web, user] = [await app.makeClient({}), await app.makeUser()]
  const gateway = await app.makeClient({
    type: 'confidential',
    grantTypes: [grant],
    exchange: [{ audience: 'a', scopes: [], subjectClients: [web.id], mode: 'delegation' }],
  })
  const { access_token: token } = await logIn(app, web, user)
  const { sql, commands } = await countDuring(async () => {
    for (let i = 0; i < REQUESTS; i += 1) {
      const answer = await app.form('/token', {
        grant_type: grant,
        client_id: gateway.id,
        client_secret: gateway.secret,
        subject_token: token,
        subject_token_type: 'urn:ietf:params:oauth:token-type:access_token',
      })
      t.equal(answer.status, 200)
    }
  })
  t.strictSame(
    sql.filter((text) => !/events|webhook_deliveries|pg_inherits|BEGIN|COMMIT/i.test(text)),
    [],
  )
  t.equal(commands.length, REQUESTS, commands.join())
})

test('client_credentials asks nobody', async (t) => {
  const { app, countDuring } = await openScene(t)
  const client = await app.makeClient({
    type: 'confidential',
    grantTypes: ['client_credentials'],
  })
  const { sql, commands } = await countDuring(async () => {
    for (let i = 0; i < REQUESTS; i += 1) {
      const answer = await app.form('/token', {
        grant_type: 'client_credentials',
        client_id: client.id,
        client_secret: client.secret,
      })
      t.equal(answer.status, 200)
    }
  })
  t.strictSame(sql, [])
  t.strictSame(commands, [])
})

test('1,000 tokens that are none ask nobody, wherever they are shown', async (t) => {
  const { app, countDuring } = await openScene(t)
  const [client, user] = [await app.makeClient({}), await app.makeUser()]
  const { id, secret } = await app.makeClient({
    type: 'confidential',
    grantTypes: ['client_credentials'],
  })
  const tokens = await logIn(app, client, user)
  const known = {
    accessToken: tokens.access_token,
    refreshToken: tokens.refresh_token,
    publicId: client.id,
    confidential: { client_id: id, client_secret: secret },
  }
  const { sql, commands } = await countDuring(async () => {
    for (let number = 0; number < 1_000; number += 1) {
      const { path, form, bearer, status } = garbageRequest(known, number)
      const headers = bearer === undefined ? {} : { authorization: `Bearer ${bearer}` }
      const answer = await (form ? app.form(path, form) : app.fetch(path, { headers }))
      const body = await answer.text()
      if (answer.status !== status || body.includes('"active":true')) {
        t.fail(`${number} at ${path}: ${answer.status} ${body}`)
      }
    }
  })
  t.strictSame(sql, [])
  t.strictSame(commands, [])
})

test('a login is seen at both, so the counting counts', async (t) => {
  const { app, countDuring } = await openScene(t)
  const [client, user] = [await app.makeClient({}), await app.makeUser()]
  const { sql, commands } = await countDuring(async () => {
    await logIn(app, client, user)
  })
  t.ok(sql.some((text) => /\busers\b/.test(text)))
  t.not(commands.length, 0)
})
