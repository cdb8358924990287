// Proves that the embedded database never outlives its service, and that a start right after any
// kind of kill works.

import { spawnSync } from 'node:child_process'
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import pg from 'pg'
import { type Test, test } from 'tap'
import { holdDataDir } from '../../src/embedded/data-dir-lock.ts'
import { startEmbeddedPostgres } from '../../src/embedded/postgres-server.ts'
import { isRunning } from '../../src/embedded/process-identity.ts'
import {
  type EmbeddedProcess,
  runEmbeddedChild,
  spawnEmbeddedChild,
} from '../support/embedded-process.ts'
import { makeServerDir } from '../support/temp-dir.ts'

interface Place {
  readonly dataDir: string
  readonly rootPlace: string
}

function makePlace(t: Test): Place {
  return { dataDir: t.testdir(), rootPlace: makeServerDir() }
}

function serverPidOf({ dataDir, rootPlace }: Place): number {
  const name = readdirSync(rootPlace).find((entry) => /^[0-9a-f]{16}$/.test(entry))
  const home = name ? join(rootPlace, name) : dataDir
  return Number.parseInt(readFileSync(join(home, 'postgresql/postmaster.pid'), 'utf8'), 10)
}

async function query(url: string | undefined, sql: string): Promise<unknown[][]> {
  const client = new pg.Client({ connectionString: url })
  await client.connect()
  try {
    return (await client.query({ text: sql, rowMode: 'array' })).rows
  } finally {
    await client.end()
  }
}

async function startChild(t: Test, place: Place): Promise<EmbeddedProcess> {
  const child = await runEmbeddedChild(t, place)
  t.equal(child.error, undefined)
  return child
}

/** Holds and starts it as the service does; released at the end of the test. */
async function startHere(t: Test, place: Place): Promise<string> {
  const held = await holdDataDir(place.dataDir)
  t.teardown(() => held.release())
  const server = await startEmbeddedPostgres({ ...place, dataDir: held.path })
  t.teardown(() => server.stop())
  return server.url
}

async function untilGone(pid: number): Promise<void> {
  while (isRunning(pid)) await delay(20)
}

test('ends by itself, cleanly, when its service is killed', async (t) => {
  const place = makePlace(t)
  const service = await startChild(t, place)
  await query(service.url, 'CREATE TABLE kept AS SELECT 42 AS n')
  const pid = serverPidOf(place)
  await service.kill()
  await untilGone(pid)
  t.same(await query(await startHere(t, place), 'SELECT n FROM kept'), [[42]])
})

test('starts at once after its service was killed', async (t) => {
  const place = makePlace(t)
  const service = await startChild(t, place)
  await query(service.url, 'CREATE TABLE kept AS SELECT 42 AS n')
  await service.kill()
  t.same(await query(await startHere(t, place), 'SELECT n FROM kept'), [[42]])
})

test('ends a server whose supervisor was killed together with the service', async (t) => {
  const place = makePlace(t)
  const service = await startChild(t, place)
  const pid = serverPidOf(place)
  for (const shell of supervisorsOf(pid)) process.kill(shell, 'SIGKILL')
  await service.kill()
  t.ok(isRunning(pid), 'nobody has told the server to end')
  t.same(await query(await startHere(t, place), 'SELECT 1'), [[1]])
  t.notOk(isRunning(pid))
})

test('starts after the server itself was killed', async (t) => {
  const place = makePlace(t)
  const service = await startChild(t, place)
  process.kill(serverPidOf(place), 'SIGKILL')
  await service.kill()
  t.same(await query(await startHere(t, place), 'SELECT 1'), [[1]])
})

test('does not hear the Ctrl-C that its service hears', async (t) => {
  const place = makePlace(t)
  const service = await startChild(t, place)
  // A terminal sends the signal to the whole process group.
  process.kill(-service.pid, 'SIGINT')
  t.same(await query(service.url, 'SELECT 1'), [[1]])
  const pid = serverPidOf(place)
  await service.end()
  t.notOk(isRunning(pid), 'a clean end of the service waits for the database')
})

test('starts after a kill in the middle of the first start', async (t) => {
  const place = makePlace(t)
  const child = spawnEmbeddedChild(t, place)
  while (!unfinishedIn(place).some(hasBegun)) await delay(10)
  child.kill('SIGKILL')
  const url = await startHere(t, place)
  t.same(await query(url, 'SELECT 1'), [[1]])
  t.same(
    unfinishedIn(place).filter((path) => path.endsWith('.password')),
    [],
  )
})

/** What initdb works on, wherever it is. */
function unfinishedIn({ dataDir, rootPlace }: Place): string[] {
  const homes = [dataDir, ...readdirSync(rootPlace).map((name) => join(rootPlace, name))]
  return homes.flatMap((home) =>
    readdirSync(home)
      .filter((name) => name.startsWith('postgresql.init-'))
      .map((name) => join(home, name)),
  )
}

function hasBegun(unfinished: string): boolean {
  return existsSync(join(unfinished, 'PG_VERSION'))
}

/** The shells in the session of the server: its supervisor and the one that watches us. */
function supervisorsOf(serverPid: number): number[] {
  const ps = (...args: string[]) => spawnSync('ps', args, { encoding: 'utf8' }).stdout
  const group = ps('-o', 'pgid=', '-p', String(serverPid)).trim()
  return ps('-eo', 'pid=,pgid=,comm=')
    .split('\n')
    .map((line) => line.trim().split(/\s+/))
    .filter(([, pgid, command]) => pgid === group && command === 'sh')
    .map(([pid]) => Number(pid))
}
