// Proves that embedded mode has a real, private database whose data outlives every kind of end.

import { spawn } from 'node:child_process'
import { existsSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import pg from 'pg'
import { type Test, test } from 'tap'
import type { RunningPostgres } from '../../src/embedded/postgres-cluster.ts'
import { startEmbeddedPostgres } from '../../src/embedded/postgres-server.ts'
import { findServerAccount } from '../../src/embedded/server-account.ts'
import { makeServerDir } from '../support/temp-dir.ts'

const isRoot = process.getuid?.() === 0

interface Place {
  readonly dataDir: string
  readonly rootPlace: string
}

/** The data directory is private to us, like a fresh clone in /root. */
function makePlace(t: Test): Place {
  return { dataDir: t.testdir(), rootPlace: makeServerDir() }
}

/** Where the cluster lies, and what else is there. */
function homeOf({ dataDir, rootPlace }: Place): string {
  const name = readdirSync(rootPlace).find((entry) => /^[0-9a-f]{16}$/.test(entry))
  return name ? join(rootPlace, name) : dataDir
}

async function start(t: Test, place: Place): Promise<RunningPostgres> {
  const server = await startEmbeddedPostgres(place)
  t.teardown(() => server.stop())
  return server
}

async function query(url: string, sql: string): Promise<unknown[][]> {
  const client = new pg.Client({ connectionString: url })
  await client.connect()
  try {
    return (await client.query({ text: sql, rowMode: 'array' })).rows
  } finally {
    await client.end()
  }
}

test('finds its data again after a stop and a start', async (t) => {
  const place = makePlace(t)
  const first = await start(t, place)
  await query(first.url, 'CREATE TABLE kept AS SELECT 42 AS n')
  await first.stop()
  t.equal(await first.exited, 0)
  const second = await start(t, place)
  t.same(await query(second.url, 'SELECT n FROM kept'), [[42]])
})

test('is UTF-8, listens on the loopback address alone and wants the password', async (t) => {
  const place = makePlace(t)
  const { url } = await start(t, place)
  const [row] = await query(
    url,
    `SELECT current_setting('server_encoding'), current_setting('listen_addresses'),
      current_setting('unix_socket_directories'), current_setting('fsync'),
      (SELECT string_agg(DISTINCT auth_method, ',') FROM pg_hba_file_rules)`,
  )
  t.same(row, ['UTF8', '127.0.0.1', '', 'on', 'scram-sha-256'])
  const wrong = new URL(url)
  wrong.password = 'wrong'
  await t.rejects(query(wrong.href, 'SELECT 1'), { code: '28P01' })
  const passwordFile = join(place.dataDir, 'postgresql-password')
  t.equal(statSync(passwordFile).mode & 0o777, 0o600)
  t.equal(decodeURIComponent(new URL(url).password), readFileSync(passwordFile, 'utf8'))
  t.equal(statSync(join(homeOf(place), 'postgresql')).mode & 0o777, 0o700)
})

test('tells when the server has ended without being asked', async (t) => {
  const place = makePlace(t)
  const { exited } = await start(t, place)
  // The database alone keeps no process alive.
  const alive = setInterval(() => {}, 60_000)
  t.teardown(() => clearInterval(alive))
  const pidFile = readFileSync(join(homeOf(place), 'postgresql/postmaster.pid'), 'utf8')
  process.kill(Number.parseInt(pidFile, 10), 'SIGINT')
  t.equal(await exited, 0)
})

test('starts in spite of a pid file whose number belongs to another process now', async (t) => {
  const place = makePlace(t)
  await (await start(t, place)).stop()
  // PostgreSQL itself forgives a process of another account only.
  const stranger = spawn('sleep', ['600'], { ...(await findServerAccount()), cwd: '/' })
  t.teardown(() => stranger.kill())
  const data = join(homeOf(place), 'postgresql')
  writeFileSync(join(data, 'postmaster.pid'), `${stranger.pid}\n${data}\n`)
  const { url } = await start(t, place)
  t.same(await query(url, 'SELECT 1'), [[1]])
})

test('refuses to start without the password of its cluster', async (t) => {
  const place = makePlace(t)
  await (await start(t, place)).stop()
  rmSync(join(place.dataDir, 'postgresql-password'))
  await t.rejects(start(t, place), {
    name: 'StartError',
    message: /postgresql-password is missing/,
  })
  t.notOk(existsSync(join(place.dataDir, 'postgresql-password')), 'and makes no other one')
})

test('says in one line what stops the server', async (t) => {
  const place = makePlace(t)
  await (await start(t, place)).stop()
  const version = join(homeOf(place), 'postgresql/PG_VERSION')
  writeFileSync(version, '9\n')
  await t.rejects(start(t, place), {
    name: 'StartError',
    message: /^the embedded PostgreSQL does not start: .*FATAL.*incompatible with server$/,
  })
})

test('as root: a deleted data directory means a new database', { skip: !isRoot }, async (t) => {
  const place = makePlace(t)
  const first = await start(t, place)
  await query(first.url, 'CREATE TABLE old ()')
  await first.stop()
  for (const name of readdirSync(place.dataDir)) rmSync(join(place.dataDir, name))
  const second = await start(t, place)
  t.same(await query(second.url, "SELECT to_regclass('old')"), [[null]])
  t.ok(existsSync(`${homeOf(place)}.previous`), 'the old one is set aside')
})

test('as root: a copied data directory is refused', { skip: !isRoot }, async (t) => {
  const place = makePlace(t)
  await (await start(t, place)).stop()
  const copy = makeServerDir()
  const pointer = readFileSync(join(place.dataDir, 'postgresql-location'), 'utf8')
  writeFileSync(join(copy, 'postgresql-location'), pointer)
  await t.rejects(start(t, { ...place, dataDir: copy }), {
    name: 'StartError',
    message: /was moved or copied/,
  })
})

test('as root: a place that others can write to is refused', { skip: !isRoot }, async (t) => {
  const place = { ...makePlace(t), rootPlace: join(makeServerDir(), 'open/place') }
  t.teardown(() => process.umask(mask))
  const mask = process.umask(0)
  await t.rejects(start(t, place), {
    name: 'StartError',
    message: /can be written to by others/,
  })
})
