// A start that a server refuses: it ends at once with what the server said, because waiting mends
// nothing of it. What is only silent is waited for: test/process/start-errors.test.ts.

import pg from 'pg'
import { test } from 'tap'
import { runHere } from './support/command-line.ts'
import { type Change, changed, startFails } from './support/failing-start.ts'
import { serverEnvironment } from './support/lineage-process.ts'
import { openEmptyDatabase, openTestDatabase } from './support/postgres.ts'
import { startRedis } from './support/redis.ts'

async function run(url: string, ...statements: readonly string[]): Promise<void> {
  const client = new pg.Client({ connectionString: url })
  await client.connect()
  for (const statement of statements) await client.query(statement)
  await client.end()
}

test('what PostgreSQL refuses is said at once, in its words and without a credential', async (t) => {
  const { url } = await openTestDatabase(t)
  const cases: Record<string, [change: Change, said: RegExp, advice: RegExp]> = {
    'a wrong password': [
      (one) => {
        one.password = 'not-the-password'
      },
      /password authentication failed for user "\w+" \(28P01\)/,
      /the user and the password/,
    ],
    'an unknown role': [
      (one) => {
        one.username = 'nobody_here'
      },
      /"nobody_here" .*\(28\w{3}\)/,
      /the user and the password/,
    ],
    'no password': [
      (one) => {
        one.password = ''
      },
      /SASL.* password/,
      /the user and the password/,
    ],
    'no such database': [
      (one) => {
        one.pathname = '/nowhere'
      },
      /database "nowhere" does not exist \(3D000\)/,
      /create the database/,
    ],
    'TLS where the server has none': [
      (one) => one.searchParams.set('sslmode', 'require'),
      /does not support SSL/,
      /sslmode/,
    ],
  }
  for (const [what, [change, said, advice]] of Object.entries(cases)) {
    const env = changed(url, change)
    const { line, down } = await startFails(t, env)
    t.match(line, /^PostgreSQL refuses: .*; `lineage doctor` says what to do$/, what)
    t.match(line, said, what)
    t.notMatch(line, 'not-the-password', what)
    t.strictSame(down, [], 'nothing was waited for')
    const command = await runHere(env, ['keys', 'list'])
    t.strictSame(command, { code: 1, stdout: '', stderr: `lineage: ${line}\n` }, what)
    const { stdout } = await runHere(env, ['doctor'])
    t.match(stdout, said, what)
    t.match(stdout, advice, what)
  }
})

test('a role without rights is told so at once, before and after the tables are made', async (t) => {
  const { url } = await openEmptyDatabase(t)
  const role = `${new URL(url).pathname.slice(1)}_app`
  await run(url, `CREATE ROLE ${role} LOGIN PASSWORD 'its-own'`)
  await run(url, 'REVOKE CREATE ON SCHEMA public FROM PUBLIC')
  t.teardown(() => run(url, `DROP ROLE ${role}`))
  const env = changed(url, (one) => {
    one.username = role
    one.password = 'its-own'
  })
  const before = await startFails(t, env)
  t.match(before.line, 'permission denied for schema public')
  t.equal((await runHere(serverEnvironment(url), ['migrate'])).code, 0)
  for (const LINEAGE_MIGRATE of ['auto', 'check', 'off']) {
    const { line, down } = await startFails(t, { ...env, LINEAGE_MIGRATE })
    t.match(line, /permission denied for table \w+/, LINEAGE_MIGRATE)
    t.strictSame([...before.down, ...down], [])
    const command = await runHere({ ...env, LINEAGE_MIGRATE }, ['keys', 'list'])
    t.match(command, { code: 1, stderr: /^lineage: .*permission denied for table \w+.*\n$/ })
  }
})

test('LINEAGE_MIGRATE=off on an empty database is one clear line', async (t) => {
  const env = { ...serverEnvironment((await openEmptyDatabase(t)).url), LINEAGE_MIGRATE: 'off' }
  const { line } = await startFails(t, env)
  t.match(line, /^the database lacks tables of this release \(`lineage migrate` makes them, /)
  t.match(await runHere(env, ['user', 'sessions', 'ada']), {
    code: 1,
    stderr: `lineage: ${line}\n`,
  })
})

test('what Redis refuses is said at once', async (t) => {
  const { url } = await openTestDatabase(t)
  const redis = await startRedis(t)
  await redis.cli('ACL', 'SETUSER', 'reader', 'on', '>its-own', '~*', '+@read', '+hello')
  const at = (credentials: string) =>
    serverEnvironment(url, redis.url.replace('//', `//${credentials}`))
  const expect = async (credentials: string, code: string) => {
    const { line } = await startFails(t, at(credentials))
    t.match(line, /^Redis refuses: .*; `lineage doctor` says what to do$/)
    t.match(line, `(${code})`)
    t.notMatch(line, /not-the-password|its-own/)
  }
  await expect('reader:its-own@', 'NOPERM')
  await expect('reader:not-the-password@', 'WRONGPASS')
  await redis.cli('CONFIG', 'SET', 'requirepass', 'the-password')
  await expect('', 'NOAUTH')
})
