// Starts that go wrong: exit code 1, one message that an operator can act on, no value in it
// (docs/semantics.md §18). A database that is only late is waited for (docs/semantics.md §13).

import { once } from 'node:events'
import { type AddressInfo, createServer } from 'node:net'
import { test } from 'tap'
import { serverEnvironment, spawnLineage } from '../support/lineage-process.ts'
import { openEmptyDatabase, openTestDatabase, startPostgres } from '../support/postgres.ts'
import { rootSecretOf, secretKeyOf } from '../support/root-secrets.ts'

test('a bad configuration ends the start with one message that names every problem', async (t) => {
  const bad = {
    PORT: '70000',
    DATABASE_URL: 'mysql://root:hunter2@db/lineage',
    LINEAGE_ISSUER: 'http://auth.evil.test',
    LINEAGE_SECRET_KEY: 'c2hvcnQtc2VjcmV0',
    LINEAGE_REFRESH_GRACE_SECONDS: 'ninety',
    LINEAGE_PASWORD_MIN_LENGTH: '4711',
  }
  const half = { LINEAGE_ADMIN_CLIENT_ID: 'an-operator' }
  const missing = ['LINEAGE_ADMIN_CLIENT_SECRET']
  const service = await spawnLineage(t, { ...bad, ...half })
  t.strictSame(await service.exited, { code: 1, signal: null })
  const [title, ...problems] = service.stderr
  t.equal(title, 'lineage: The configuration is not valid:')
  for (const name of [...Object.keys(bad), ...missing]) {
    t.equal(problems.filter((line) => line.trim().startsWith(`${name} `)).length, 1, name)
  }
  t.equal(problems.length, Object.keys(bad).length + missing.length, 'and nothing else')
  for (const [name, value] of Object.entries({ ...bad, ...half })) {
    t.notOk(service.stderr.join('\n').includes(value), `not the value of ${name}`)
  }
  t.notMatch(service.stderr.join('\n'), /hunter2|evil/)
  t.strictSame(service.stdout, [])
})

test('a server that lacks one of its three settings does not become an embedded one', async (t) => {
  const service = await spawnLineage(t, { LINEAGE_ISSUER: 'https://auth.example.test' })
  t.strictSame(await service.exited, { code: 1, signal: null })
  t.strictSame(service.stderr, [
    'lineage: The configuration is not valid:',
    '  DATABASE_URL is missing.',
    '  LINEAGE_SECRET_KEY is missing.',
  ])
})

test('LINEAGE_MIGRATE=check refuses a database that lacks migrations', async (t) => {
  const { url } = await openEmptyDatabase(t)
  const service = await spawnLineage(t, { ...serverEnvironment(url), LINEAGE_MIGRATE: 'check' })
  t.strictSame(await service.exited, { code: 1, signal: null })
  t.equal(service.stderr.length, 1)
  t.match(service.stderr[0], /^lineage: the database lacks migrations: \d+_init\b/)
})

test('a taken LINEAGE_OPS_PORT ends the start, with nothing left that listens', async (t) => {
  const other = createServer().listen(0, '127.0.0.1')
  await once(other, 'listening')
  t.teardown(() => other.close())
  const { port } = other.address() as AddressInfo
  const env = serverEnvironment((await openTestDatabase(t)).url)
  const service = await spawnLineage(t, { ...env, LINEAGE_OPS_PORT: String(port) })
  t.strictSame(await service.exited, { code: 1, signal: null })
  t.equal(service.stderr.length, 1)
  t.match(service.stderr[0], `lineage: port ${port} on 127.0.0.1 is taken; set LINEAGE_OPS_PORT `)
})

test('a root secret that opens no key of the database ends the start', async (t) => {
  const env = serverEnvironment((await openTestDatabase(t)).url)
  const first = await spawnLineage(t, env)
  await first.ready()
  first.signal('SIGTERM')
  await first.exited
  const other = secretKeyOf(rootSecretOf(7))
  const second = await spawnLineage(t, { ...env, LINEAGE_SECRET_KEY: other })
  t.strictSame(await second.exited, { code: 1, signal: null })
  t.equal(second.stderr.length, 1)
  t.match(second.stderr[0], /^lineage: .*LINEAGE_SECRET_KEY/)
  t.notOk(second.stderr[0]?.includes(other))
})

test('a start waits for a PostgreSQL that is late, and says so', async (t) => {
  const postgres = await startPostgres(t)
  await postgres.stop()
  const service = await spawnLineage(t, serverEnvironment(postgres.url))
  const { dependency } = await service.logged('dependency.down')
  t.equal(dependency, 'postgresql')
  await t.rejects(service.readiness(), 'nobody listens before the start is done')
  await postgres.start()
  await service.ready()
  t.equal((await service.makeUser()).username.slice(0, 5), 'user-')
  t.strictSame(service.stderr, [])
})

test('a signal during the start is heard: the process ends at once and in order', async (t) => {
  const postgres = await startPostgres(t)
  await postgres.stop()
  for (const signal of ['SIGTERM', 'SIGINT'] as const) {
    const service = await spawnLineage(t, serverEnvironment(postgres.url))
    await service.logged('dependency.down')
    service.signal(signal)
    t.strictSame(await service.exited, { code: 0, signal: null }, signal)
  }
})
