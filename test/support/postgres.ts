// Real PostgreSQL for tests: a database of its own on a server that the whole run shares, or a whole
// server for tests that stop and pause it. scripts/test.mjs starts the shared one; a file that is
// run by hand starts one for itself, which ends with it.

import { spawnSync } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { openPostgresBinaries } from '../../src/embedded/postgres-binaries.ts'
import {
  createCluster,
  type PostgresCluster,
  type RunningPostgres,
  startCluster,
} from '../../src/embedded/postgres-cluster.ts'
import { findServerAccount } from '../../src/embedded/server-account.ts'
import { asAdmin } from './admin-connection.ts'
import { createMigrated, emptyDatabaseSql } from './database-template.ts'
import { signalTree } from './process-tree.ts'
import type { Scope } from './scope.ts'
import { makeStorageDir } from './temp-dir.ts'

// A server that is killed keeps what it confirmed: the machine lives on, so that written is enough.
const SETTINGS = ['fsync=off', 'full_page_writes=off', 'max_connections=200']

/** Where a cluster lies below its home. */
const DATA = 'postgresql'

export interface TestPostgres {
  /** The superuser's URL; the port stays the same over stop and start. */
  readonly url: string
  /** Ends every connection and the server. */
  stop(): Promise<void>
  start(): Promise<void>
  /** Every process of the server dies at once (SIGKILL). */
  kill(): Promise<void>
  /** The server hangs: connections stay open, nothing is answered (SIGSTOP). */
  pause(): void
  resume(): void
}

/** A whole server for this test alone, stopped at its end. `settings` instead of those of tests. */
export async function startPostgres(
  t: Scope,
  settings: readonly string[] = SETTINGS,
): Promise<TestPostgres> {
  const cluster = await makeCluster()
  let running: RunningPostgres | undefined = await startCluster(cluster, settings)
  const { url, port } = running
  const signal = (name: NodeJS.Signals) => {
    if (running) signalTree(pidOf(cluster), name)
  }
  const server: TestPostgres = {
    url,
    async stop() {
      signal('SIGCONT')
      await running?.stop()
      running = undefined
    },
    async start() {
      running ??= await startCluster(cluster, settings, port)
    },
    async kill() {
      signal('SIGKILL')
      await running?.stop()
      running = undefined
    },
    pause: () => signal('SIGSTOP'),
    resume: () => signal('SIGCONT'),
  }
  t.teardown(() => server.stop())
  return server
}

/**
 * A server that ends with this process and that nobody kills; for a whole run or a whole file. `copy`
 * is of what it was made of: with it in TEST_CLUSTER, whoever makes another server copies that.
 */
export async function startSharedPostgres(): Promise<{ url: string; copy: string }> {
  const cluster = await makeCluster()
  const copy = join(cluster.home, 'copy')
  copyFolder(join(cluster.home, DATA), copy)
  const { url } = await startCluster(cluster, [...SETTINGS, 'synchronous_commit=off'])
  return { url, copy }
}

let ownServer: Promise<{ url: string }> | undefined

async function sharedServerUrl(): Promise<string> {
  if (process.env.TEST_DATABASE_URL) return process.env.TEST_DATABASE_URL
  ownServer ??= startSharedPostgres()
  return (await ownServer).url
}

/** A database of its own with every table of the service, dropped at the end of the test. */
export async function openTestDatabase(t: Scope): Promise<{ url: string }> {
  return await openDatabaseAs(t, createMigrated)
}

/** The same with nothing in it: for tests of the first start, of migrations and of encodings. */
export async function openEmptyDatabase(t: Scope, encoding = 'UTF8'): Promise<{ url: string }> {
  return await openDatabaseAs(t, (serverUrl, name) =>
    runAsAdmin(serverUrl, emptyDatabaseSql(name, encoding)),
  )
}

async function openDatabaseAs(
  t: Scope,
  create: (serverUrl: string, name: string) => Promise<unknown>,
): Promise<{ url: string }> {
  const serverUrl = await sharedServerUrl()
  const name = `test_${randomBytes(8).toString('hex')}`
  await create(serverUrl, name)
  t.teardown(() => runAsAdmin(serverUrl, `DROP DATABASE ${name} WITH (FORCE)`))
  const url = new URL(serverUrl)
  url.pathname = `/${name}`
  return { url: url.href }
}

/** One statement over a connection of its own, with the server's own settings. */
export function runAsAdmin(serverUrl: string, sql: string): Promise<unknown[]> {
  return asAdmin(serverUrl, async (client) => (await client.query(sql)).rows)
}

async function makeCluster(): Promise<PostgresCluster> {
  const account = await findServerAccount()
  const home = makeStorageDir()
  const { TEST_CLUSTER: copied, TEST_DATABASE_URL: shared } = process.env
  const programs = join(copied ? dirname(copied) : home, 'binaries')
  const binaries = await openPostgresBinaries(programs, account)
  if (copied && shared) {
    // A third of what initdb takes; the password is that of the original.
    copyFolder(copied, join(home, DATA))
    return { binaries, home, account, password: new URL(shared).password }
  }
  const password = randomBytes(16).toString('hex')
  const cluster: PostgresCluster = { binaries, home, account, password }
  await createCluster(cluster, ['--no-sync'])
  return cluster
}

/** With its owner, who need not be us. */
function copyFolder(from: string, to: string): void {
  const { status, stderr } = spawnSync('cp', ['-a', from, to], { encoding: 'utf8' })
  if (status !== 0) throw new Error(`cp: ${stderr}`)
}

function pidOf(cluster: PostgresCluster): number {
  return Number.parseInt(readFileSync(join(cluster.home, DATA, 'postmaster.pid'), 'utf8'), 10)
}
