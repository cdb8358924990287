// `lineage doctor`: what is in order is said to be, what is broken is named with what to do, and
// only that makes the exit code 1.

import pg from 'pg'
import { test } from 'tap'
import { findFreePort } from '../../../src/embedded/free-port.ts'
import { readFindings } from '../../scenes/doctor-report.ts'
import { runCommand, runHere } from '../../support/command-line.ts'
import { type Environment, serverEnvironment, startLineage } from '../../support/lineage-process.ts'
import { openEmptyDatabase, openTestDatabase } from '../../support/postgres.ts'
import { startRedis } from '../../support/redis.ts'
import { rootSecretOf, secretKeyOf } from '../../support/root-secrets.ts'
import { openWrongClock } from '../../support/wrong-clock.ts'

/** A server whose issuer nobody listens on. */
async function quietEnvironment(databaseUrl: string, redisUrl?: string): Promise<Environment> {
  const issuer = `http://127.0.0.1:${await findFreePort()}`
  return { ...serverEnvironment(databaseUrl, redisUrl), LINEAGE_ISSUER: issuer }
}

async function examine(env: Environment) {
  const { code, stdout, stderr } = await runHere(env, ['doctor', '--json'])
  const { ok } = JSON.parse(stdout) as { ok: boolean }
  const findings = readFindings(stdout)
  const find = (check: string) => findings.filter((finding) => finding.check.startsWith(check))
  return { code, ok, stderr, findings, find }
}

test('everything in order: a running service, its Redis and its keys', async (t) => {
  const redis = await startRedis(t)
  const port = String(await findFreePort())
  const server = serverEnvironment((await openTestDatabase(t)).url, redis.url)
  const env = { ...server, PORT: port, LINEAGE_ISSUER: `http://127.0.0.1:${port}` }
  await startLineage(t, env)
  const { code, stdout, stderr } = await runCommand(t, env, ['doctor'])
  t.strictSame([code, stderr], [0, ''])
  const lines = stdout.trim().split('\n')
  t.strictSame(
    // How fast a server answers on a busy machine is not the subject here.
    lines.map((line) => line.replace(/^warn(?= {2}latency)/, 'ok  ').split(':')[0]),
    [
      'ok    configuration',
      'skip  data directory',
      'ok    postgresql',
      'ok    clock',
      'ok    latency of postgresql',
      'ok    connections',
      'ok    migrations',
      'ok    redis 127.0.0.1',
      'ok    clock of redis 127.0.0.1',
      'ok    latency of redis 127.0.0.1',
      'ok    persistence of redis 127.0.0.1',
      'ok    memory of redis 127.0.0.1',
      'ok    replication of redis 127.0.0.1',
      'skip  mail',
      'ok    signing keys',
      'ok    root secrets',
      'skip  password peppers',
      'ok    issuer',
      'ok    jwks',
    ],
  )
  t.match(stdout, /redis 127\.0\.0\.1:\d+: version \d+\.\S+, master\n/)

  const elsewhere = { ...env, DATABASE_URL: (await openTestDatabase(t)).url }
  await runHere(elsewhere, ['keys', 'rotate'])
  const other = await examine(elsewhere)
  t.match(other.find('jwks'), [{ status: 'fail', detail: /2 of the keys .* are not served/ }])
})

test('a bad configuration is all there is to say', async (t) => {
  const { code, findings } = await examine({ DATABASE_URL: 'mysql://root:hunter2@db/x' })
  t.equal(code, 1)
  t.ok(findings.every(({ check, status }) => check === 'configuration' && status === 'fail'))
  t.notMatch(JSON.stringify(findings), 'hunter2')
})

test('closed ports: each is named, and the rest is looked at all the same', async (t) => {
  const dead = await findFreePort()
  const away = `postgres://u:hunter2@127.0.0.1:${dead}/x`
  const both = await examine(await quietEnvironment(away, `redis://:hunter2@127.0.0.1:${dead}`))
  t.strictSame([both.code, both.ok], [1, false])
  t.match(both.stderr, /checks failed: 2/)
  t.match(both.find('postgresql'), [
    { status: 'fail', detail: /ECONNREFUSED/, advice: /start Post/ },
  ])
  t.match(both.find('redis'), [{ status: 'fail', detail: /ECONNREFUSED/, advice: /start Redis/ }])
  t.match(both.find('issuer'), [{ status: 'warn', detail: /does not answer from here: ECONNREF/ }])
  for (const check of ['clock', 'migrations', 'signing keys', 'jwks']) {
    t.match(both.find(check), [{ status: 'skip' }], check)
  }
  t.notMatch(JSON.stringify(both.findings), 'hunter2')
})

test('a database that is not there, or without its tables', async (t) => {
  const { url } = await openEmptyDatabase(t)
  const missing = new URL(url)
  missing.pathname = '/not_there'
  const absent = await examine(await quietEnvironment(missing.href))
  t.match(absent.find('postgresql'), [{ status: 'fail', advice: /create the database/ }])

  const unmigrated = await examine(await quietEnvironment(url))
  t.equal(unmigrated.code, 1)
  t.match(unmigrated.find('postgresql'), [{ status: 'ok', detail: /^version \d+/ }])
  t.match(unmigrated.find('migrations'), [
    { status: 'fail', detail: /pending: \d+_init/, advice: /lineage migrate/ },
  ])
  t.match(unmigrated.find('signing keys'), [{ status: 'skip' }])
})

test('a PostgreSQL that takes no writes is a failure', async (t) => {
  const url = (await openTestDatabase(t)).url
  const client = new pg.Client({ connectionString: url })
  await client.connect()
  const name = new URL(url).pathname.slice(1)
  await client.query(`ALTER DATABASE ${name} SET default_transaction_read_only = on`)
  await client.end()
  const { code, find } = await examine(await quietEnvironment(url))
  t.equal(code, 1)
  t.match(find('postgresql'), [{ status: 'fail', detail: /read-only/, advice: /at the primary/ }])
})

test('a Redis that evicts, or keeps nothing, is a warning that says what to set', async (t) => {
  const args = ['--appendonly', 'no', '--maxmemory-policy', 'allkeys-lru']
  const redis = await startRedis(t, { args })
  const { code, find } = await examine(
    await quietEnvironment((await openTestDatabase(t)).url, redis.url),
  )
  t.equal(code, 0, 'a warning is no failure')
  t.match(find('redis'), [
    { status: 'ok' },
    { status: 'warn', detail: /allkeys-lru/, advice: 'set maxmemory-policy noeviction' },
    { status: 'warn', detail: /appendonly is off/, advice: 'set appendonly yes' },
  ])
})

test('a Redis that is a replica, or wants a password, is a failure', async (t) => {
  const [master, replica] = await Promise.all([startRedis(t), startRedis(t)])
  await replica.cli('REPLICAOF', '127.0.0.1', String(master.port))
  const url = (await openTestDatabase(t)).url
  const ofReplica = await examine(await quietEnvironment(url, replica.url))
  t.match(ofReplica.find('redis'), [{ status: 'fail', detail: /replica/, advice: /at the master/ }])
  await master.cli('CONFIG', 'SET', 'requirepass', 'hunter2')
  const locked = await examine(await quietEnvironment(url, master.url))
  t.match(locked.find('redis'), [
    { status: 'fail', detail: /NOAUTH/, advice: /password in REDIS_/ },
  ])
})

test('root secrets: one that is missing is a failure, one that is not first a warning', async (t) => {
  const env = await quietEnvironment((await openTestDatabase(t)).url)
  await runHere(env, ['keys', 'rotate'])
  const other = secretKeyOf(rootSecretOf(5))
  const without = await examine({ ...env, LINEAGE_SECRET_KEY: other })
  t.equal(without.code, 1)
  t.match(without.find('signing keys'), [
    { status: 'fail', advice: /back into LINEAGE_SECRET_KEY/ },
  ])
  t.match(without.find('root secrets'), [{ status: 'fail' }])
  const before = await examine({ ...env, LINEAGE_SECRET_KEY: `${other},${env.LINEAGE_SECRET_KEY}` })
  t.match(before.find('signing keys'), [{ status: 'ok' }])
  t.match(before.find('root secrets'), [{ status: 'warn', advice: /restart an instance/ }])
  t.notMatch(JSON.stringify([without.findings, before.findings]), other)
})

test('a clock that is seconds from the others is a warning, minutes a failure', async (t) => {
  const [{ url }, redis] = await Promise.all([openTestDatabase(t), startRedis(t)])
  const env = await quietEnvironment(url, redis.url)
  for (const [offset, status, detail] of [
    [30, 'warn', / 30 s behind us/],
    [-3_600, 'fail', / 3600 s ahead of us/],
  ] as const) {
    const wrong = { ...env, ...openWrongClock(offset).env }
    const { stdout } = await runCommand(t, wrong, ['doctor', '--json'])
    const findings = readFindings(stdout)
    const clocks = findings.filter(({ check }) => check.startsWith('clock'))
    t.match(clocks, [
      { check: 'clock', status, detail },
      { check: /^clock of redis/, status, detail, advice: /NTP/ },
    ])
    const keys = findings.find(({ check }) => check === 'signing keys')
    t.match(keys, { status: 'warn', detail: 'there is none yet' }, 'the tables are there')
  }
})

test('it changes nothing: no table, no key', async (t) => {
  const { url } = await openEmptyDatabase(t)
  await examine(await quietEnvironment(url))
  const client = new pg.Client({ connectionString: url })
  await client.connect()
  const { rows } = await client.query(`SELECT * FROM pg_tables WHERE schemaname = 'public'`)
  await client.end()
  t.strictSame(rows, [])
})
