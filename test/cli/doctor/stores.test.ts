// What `lineage doctor` says of the stores: real servers with wrong settings, and the judgements that no
// server of a test can be brought to.

import pg from 'pg'
import { type Test, test } from 'tap'
import { judgeConnections } from '../../../src/cli/doctor/connection-findings.ts'
import { judgeLatency } from '../../../src/cli/doctor/latency-finding.ts'
import { examinePeppers } from '../../../src/cli/doctor/pepper-findings.ts'
import { judgePostgresVersion } from '../../../src/cli/doctor/postgres-version.ts'
import { openDatabase } from '../../../src/database/database.ts'
import { openPasswordPeppers } from '../../../src/secrets/password-pepper.ts'
import { readFindings } from '../../scenes/doctor-report.ts'
import { runHere } from '../../support/command-line.ts'
import { serverEnvironment, startLineage } from '../../support/lineage-process.ts'
import { openTestDatabase, startPostgres } from '../../support/postgres.ts'
import { startRedis, startRedisCluster, startRedisSentinel } from '../../support/redis.ts'
import { rootSecretOf, secretKeyOf } from '../../support/root-secrets.ts'

async function examine(databaseUrl: string, redisUrl?: string, more = {}) {
  const env = {
    ...serverEnvironment(databaseUrl, redisUrl),
    LINEAGE_ISSUER: 'http://127.0.0.1:1',
    ...more,
  }
  const { stdout } = await runHere(env, ['doctor', '--json'])
  const findings = readFindings(stdout)
  return (check: string) => findings.filter((finding) => finding.check.startsWith(check))
}

async function query(url: string, sql: string, values: unknown[] = []) {
  const client = new pg.Client({ connectionString: url })
  await client.connect()
  try {
    return (await client.query(sql, values)).rows
  } finally {
    await client.end()
  }
}

test('versions of PostgreSQL have an end, and a beginning', async (t) => {
  const judge = (version: string, day: string) =>
    judgePostgresVersion('postgresql', version, Date.parse(day)).status
  t.equal(judge('12.9', '2026-01-01'), 'fail')
  t.equal(judge('16.4 (Debian 16.4-1)', '2026-01-01'), 'ok')
  t.equal(judge('16.4', '2028-06-01'), 'warn', 'half a year before')
  t.equal(judge('13.2', '2026-01-01'), 'warn', 'after the end')
  t.equal(judge('99.0', '2026-01-01'), 'warn', 'never tested')
})

test('the latency is that of several answers', async (t) => {
  t.match(judgeLatency('latency', [1, 2, 3]), { status: 'ok', detail: /median 2\.0 ms/ })
  t.equal(judgeLatency('latency', [1, 1, 300]).status, 'warn', 'one that took long')
  t.equal(judgeLatency('latency', [30, 30, 30]).status, 'warn')
  t.equal(judgeLatency('latency', [800, 800, 1]).status, 'fail')
})

test('connections: all processes, the reserved ones, a pooler, an upgrade', async (t) => {
  const facts = { available: 97, used: 25, processes: 2, isPooled: false }
  t.match(judgeConnections(facts, 1), { status: 'ok', detail: /2 take up to 20 \(10 each\)/ })
  t.equal(judgeConnections({ ...facts, available: 25 }, 1).status, 'warn', 'no room for one more')
  t.equal(judgeConnections({ ...facts, available: 19 }, 1).status, 'fail')
  t.match(judgeConnections({ ...facts, processes: 8 }, 4), { detail: /up to 40 \(5 each\)/ })
  t.match(judgeConnections({ ...facts, processes: 0 }, 4), { detail: /no process runs/ })
  const pooled = { ...facts, available: 26, isPooled: true }
  t.match(judgeConnections(pooled, 1), { status: 'warn', detail: /a pooler stands in between/ })
})

test('a PostgreSQL with too few connections for a running service', async (t) => {
  const { url } = await startPostgres(t, ['fsync=off', 'max_connections=14'])
  const env = { ...serverEnvironment(url), LINEAGE_ISSUER: 'http://127.0.0.1:1' }
  await startLineage(t, env)
  const [finding] = (await examine(url))('connections')
  t.match(finding, { status: 'warn', detail: /of 11 in use; 1 take up to 10 .* one instance more/ })
  const narrow = new URL(url)
  await query(url, `CREATE ROLE narrow LOGIN SUPERUSER PASSWORD 'x' CONNECTION LIMIT 6`)
  ;[narrow.username, narrow.password] = ['narrow', 'x']
  const [limited] = (await examine(narrow.href))('connections')
  t.match(limited, { status: 'fail', detail: /of 6 in use/ })
})

test('migrations of a newer release are told of, and stop nothing', async (t) => {
  const { url } = await openTestDatabase(t)
  await query(
    url,
    `INSERT INTO _prisma_migrations (id, checksum, migration_name, finished_at)
     VALUES ('x', 'x', '20990101000000_later', now())`,
  )
  const find = await examine(url)
  t.match(find('migrations'), [{ status: 'warn', detail: /newer release: 20990101000000_later/ }])
  t.match(find('signing keys'), [{ status: 'warn', detail: 'there is none yet' }])
})

const SALTED = 'c2FsdHNhbHRzYWx0c2FsdA$aGFzaGhhc2hoYXNoaGFzaGhhc2hoYXNoaGFzaGhhc2g'

async function makeUsers(url: string, count: number, pepperId: number): Promise<void> {
  const keyId = Buffer.from([pepperId]).toString('base64').slice(0, 2)
  await query(
    url,
    `INSERT INTO users (id, username, username_key, email, email_key, password_hash)
     SELECT gen_random_uuid(), name, name, name, name, $1
     FROM (SELECT 'u' || $2 || '-' || n AS name FROM generate_series(1, $3::int) AS n) AS names`,
    [`$argon2id$v=19$m=1024,t=1,p=1,keyid=${keyId}$${SALTED}`, pepperId, count],
  )
}

test('hashes whose pepper is not configured are counted, in a sample where they are many', async (t) => {
  const { url } = await openTestDatabase(t)
  const secret = Buffer.alloc(32, 1)
  const peppers = openPasswordPeppers([secret])
  const known = peppers.current?.id ?? -1
  const missing = (known + 1) % 256
  t.match((await examine(url))('password peppers'), [{ status: 'skip' }])
  await makeUsers(url, 30, known)
  const settings = { LINEAGE_PASSWORD_PEPPER: secret.toString('base64url') }
  const right = await examine(url, undefined, settings)
  t.match(right('password peppers'), [{ status: 'ok', detail: /^30 hashes have one, 0 of them/ }])
  await makeUsers(url, 3_000, missing)
  const wrong = await examine(url, undefined, settings)
  t.match(wrong('password peppers'), [
    { status: 'fail', detail: new RegExp(`not configured: 3000 with pepper ${missing}$`) },
  ])
  const database = openDatabase(url)
  const sampled = await examinePeppers(database, { passwordPeppers: peppers }, 40)
  await database.close()
  t.match(sampled, { detail: /^in a sample of \d+\.\d % of the users/ })
})

test('keys that no root secret opens are all named', async (t) => {
  const { url } = await openTestDatabase(t)
  const env = serverEnvironment(url)
  await runHere(env, ['keys', 'rotate'])
  const other = { LINEAGE_SECRET_KEY: secretKeyOf(rootSecretOf(5)) }
  const [finding] = (await examine(url, undefined, other))('signing keys')
  t.match(finding, {
    status: 'fail',
    detail: /^2 of 2 cannot be read: .+ \(ES256, root secret \d+\)/,
  })
  const [right] = (await examine(url))('signing keys')
  t.match(right, { status: 'ok', detail: /0 of \d+ days, the next signs from 20/ })
})

test('a Redis that has evicted, is full, or writes its AOF when it likes', async (t) => {
  const { url } = await openTestDatabase(t)
  const args = ['--maxmemory', '4mb', '--maxmemory-policy', 'allkeys-lru', '--appendfsync', 'no']
  const redis = await startRedis(t, { args })
  for (let n = 0; n < 40; n += 1) await redis.cli('SET', `k${n}`, 'x'.repeat(200_000))
  const find = await examine(url, redis.url)
  t.match(find('memory of'), [{ status: 'fail', detail: /allkeys-lru, [1-9]\d* keys evicted/ }])
  t.match(find('persistence of'), [{ status: 'warn', detail: /appendfsync no/ }])
})

function masters(t: Test, find: (check: string) => readonly unknown[], count: number): void {
  for (const check of ['clock of redis', 'latency of redis', 'persistence of', 'memory of']) {
    t.equal(find(check).length, count, check)
  }
}

test('every node of a Cluster is looked at, and the replicas of Sentinels too', async (t) => {
  const { url } = await openTestDatabase(t)
  const cluster = await startRedisCluster(t)
  const [, second] = cluster.nodes
  await second?.cli('CONFIG', 'SET', 'maxmemory-policy', 'volatile-ttl')
  const ofCluster = await examine(url, cluster.url)
  masters(t, ofCluster, 3)
  t.match(
    ofCluster('memory of').filter(({ status }) => status === 'warn'),
    [{ check: `memory of redis 127.0.0.1:${second?.port}` }],
  )

  const sentinel = await startRedisSentinel(t)
  await sentinel.replica.cli('CONFIG', 'SET', 'appendonly', 'no')
  const ofSentinel = await examine(url, sentinel.url)
  t.match(ofSentinel('replication of'), [
    { detail: /^master of 1/ },
    { detail: /^replica, link up/ },
  ])
  t.match(
    ofSentinel('persistence of').filter(({ status }) => status === 'warn'),
    [{ check: `persistence of redis 127.0.0.1:${sentinel.replica.port}` }],
  )
})
