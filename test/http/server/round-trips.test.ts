// What a request costs outside of this process (docs/semantics.md §3): counted where it arrives, at
// Redis by MONITOR, at PostgreSQL by reading the wire.

import { once } from 'node:events'
import { type AddressInfo, connect, createServer } from 'node:net'
import { setTimeout as delay } from 'node:timers/promises'
import { Redis } from 'ioredis'
import { type Test, test } from 'tap'
import { parseRedisUrl } from '../../../src/config/redis-url.ts'
import { logIn, startApp, type TestApp, type TokenAnswer } from '../../support/app.ts'
import { openTestDatabase } from '../../support/postgres.ts'
import { startRedis } from '../../support/redis.ts'
import { until } from '../../support/until.ts'

const REQUESTS = 20
/**
 * What is polled runs by itself, whatever is requested: tables, journal, deliveries, hashes,
 * clocks. What opens and closes a transaction (it also names the clock) counts by what stands
 * between.
 */
const POLL =
  /clock_timestamp|FROM (table_versions|journal|webhooks|generate_series)|\{journal\}|^time$/i
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

/** Passes everything on to the database and writes down each statement that goes by. */
async function readStatements(t: Test, databaseUrl: string) {
  const target = new URL(databaseUrl)
  const statements: string[] = []
  const server = createServer((near) => {
    const far = connect(Number(target.port || 5432), target.hostname)
    const read = statementReader((text) => statements.push(text))
    near.on('data', (bytes) => {
      read(bytes)
      far.write(bytes)
    })
    far.on('data', (bytes) => near.write(bytes))
    near.on('error', () => {}).on('close', () => far.destroy())
    far.on('error', () => {}).on('close', () => near.destroy())
  }).listen(0, '127.0.0.1')
  await once(server, 'listening')
  t.teardown(() => server.close())
  const url = new URL(databaseUrl)
  url.hostname = '127.0.0.1'
  url.port = String((server.address() as AddressInfo).port)
  return { url: url.href, statements }
}

/** Of PostgreSQL's messages: Query holds a text, Parse a name and a text. The first has no type. */
function statementReader(found: (text: string) => void): (bytes: Buffer) => void {
  let rest = Buffer.alloc(0)
  let typeBytes = 0
  return (bytes) => {
    rest = Buffer.concat([rest, bytes])
    for (;;) {
      if (rest.length < typeBytes + 4) return
      const size = typeBytes + rest.readUInt32BE(typeBytes)
      if (rest.length < size) return
      const type = typeBytes === 0 ? '' : String.fromCharCode(rest[0] ?? 0)
      const strings = rest.toString('utf8', typeBytes + 4, size).split('\0')
      if (type === 'Q') found(strings[0] ?? '')
      if (type === 'P') found(strings[1] ?? '')
      rest = rest.subarray(size)
      typeBytes = 1
    }
  }
}

/** What clients send; what their scripts call inside of Redis is no round trip. */
async function monitorCommands(t: Test, port: number) {
  const client = new Redis(port, '127.0.0.1')
  const monitor = await client.monitor()
  const marker = new Redis(port, '127.0.0.1')
  t.teardown(() => {
    for (const connection of [monitor, marker, client]) connection.disconnect()
  })
  const seen: string[] = []
  monitor.on('monitor', (_time: string, args: string[], source: string) => {
    if (source !== 'lua') seen.push(args.join(' '))
  })
  let marks = 0
  /** Redis tells in order: when a mark has come, everything before it has. */
  async function commands(): Promise<string[]> {
    marks += 1
    const mark = `echo mark-${marks}`
    await marker.echo(`mark-${marks}`)
    await until('the mark', () => seen.some((command) => command.toLowerCase() === mark))
    return seen.filter((command) => !/^echo mark-/i.test(command))
  }
  return { commands, seen: async () => (await commands()).length }
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

test('a login is seen at both, so the counting counts', async (t) => {
  const { app, countDuring } = await openScene(t)
  const [client, user] = [await app.makeClient({}), await app.makeUser()]
  const { sql, commands } = await countDuring(async () => {
    await logIn(app, client, user)
  })
  t.ok(sql.some((text) => text.includes('"users"')))
  t.not(commands.length, 0)
})
