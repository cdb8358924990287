// One PostgreSQL cluster in one directory: made, started on a free port of the loopback address,
// and freed from what a killed predecessor left behind. Where it lies is the caller's decision.

import { execFile } from 'node:child_process'
import { closeSync, existsSync, openSync } from 'node:fs'
import { chown, mkdir, readdir, readFile, rename, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { promisify } from 'node:util'
import { StartError } from '../runtime/start-error.ts'
import { findFreePort } from './free-port.ts'
import type { PostgresBinaries } from './postgres-binaries.ts'
import { commandLineOf, isRunning, signalProcess } from './process-identity.ts'
import type { Account } from './server-account.ts'
import { type SupervisedProcess, serverEnvironment, startSupervised } from './supervised-process.ts'

const SUPERUSER = 'lineage'
const UNFINISHED = 'postgresql.init-'
const START_ATTEMPTS = 20
const RETRY_MS = 250
const READY_TIMEOUT_MS = 60_000
const LEFTOVER_TIMEOUT_MS = 10_000

export interface PostgresCluster {
  readonly binaries: PostgresBinaries
  /**
   * A directory that `account` may enter. Where the account is not ours, only we can write there.
   */
  readonly home: string
  readonly account: Account | undefined
  readonly password: string
}

/** Where a cluster lies. */
type ClusterPlace = Pick<PostgresCluster, 'home'>

export interface RunningPostgres extends SupervisedProcess {
  /** Includes the password. The port differs after each start. */
  readonly url: string
  readonly port: number
}

function dataOf(cluster: ClusterPlace): string {
  return join(cluster.home, 'postgresql')
}

/** Whether `home` holds a finished cluster. */
export function hasCluster(home: string): boolean {
  return existsSync(join(home, 'postgresql', 'PG_VERSION'))
}

/**
 * Makes the cluster under another name and renames it when it is complete, so that a crash leaves
 * nothing that a later start would take for a cluster. Throws StartError.
 */
export async function createCluster(cluster: PostgresCluster, flags: string[] = []): Promise<void> {
  const { binaries, home, account, password } = cluster
  await removeUnfinished(home)
  // A name of our own, because the initdb of a killed start may still be running.
  const unfinished = join(home, `${UNFINISHED}${process.pid}`)
  const passwordFile = `${unfinished}.password`
  await mkdir(unfinished, { mode: 0o700 })
  await writeFile(passwordFile, password, { mode: 0o600, flag: 'wx' })
  if (account) {
    await chown(unfinished, account.uid, account.gid)
    await chown(passwordFile, account.uid, account.gid)
  }
  const args = ['--encoding=UTF8', '--locale=C', '--auth=scram-sha-256', '--no-instructions']
  const names = [`--username=${SUPERUSER}`, `--pwfile=${passwordFile}`, `--pgdata=${unfinished}`]
  try {
    await promisify(execFile)(binaries.initdb, [...args, ...names, ...flags], {
      cwd: home,
      env: serverEnvironment(),
      timeout: READY_TIMEOUT_MS,
      ...account,
    })
  } catch (cause) {
    throw new StartError(`initdb failed in ${home}: ${lastLine(cause)}`, { cause })
  } finally {
    await rm(passwordFile, { force: true })
  }
  await rename(unfinished, dataOf(cluster))
}

async function removeUnfinished(home: string): Promise<void> {
  for (const name of await readdir(home)) {
    if (!name.startsWith(UNFINISHED)) continue
    await rm(join(home, name), { recursive: true, force: true, maxRetries: 10 })
  }
}

/**
 * Starts the server and waits until it takes connections. `settings` are more of its parameters,
 * `name=value`. Ends a server that a killed process left on this cluster. Throws StartError.
 */
export async function startCluster(
  cluster: PostgresCluster,
  settings: readonly string[] = [],
  wantedPort?: number,
): Promise<RunningPostgres> {
  await endLeftover(cluster)
  for (let attempt = 1; ; attempt += 1) {
    const port = wantedPort ?? (await findFreePort())
    const server = spawnServer(cluster, port, settings)
    if (await becomesReady(cluster, port, server)) {
      return { ...server, url: urlOf(cluster.password, port), port }
    }
    const complaint = await lastComplaint(cluster)
    if (attempt === START_ATTEMPTS || !PASSING.test(complaint)) {
      throw new StartError(`the embedded PostgreSQL does not start: ${complaint}`)
    }
    await delay(RETRY_MS)
  }
}

/** The URL of the server that runs on the cluster, if one does and takes connections. */
export async function findRunningServer(
  cluster: Pick<PostgresCluster, 'home' | 'password'>,
): Promise<string | undefined> {
  const found = await readPidFile(cluster)
  if (found?.status !== 'ready' || !isOurServer(cluster, found.pid)) return undefined
  return urlOf(cluster.password, found.port)
}

function urlOf(password: string, port: number): string {
  return `postgres://${SUPERUSER}:${password}@127.0.0.1:${port}/postgres`
}

// Somebody took the port meanwhile, or child processes of a killed server are still ending.
const PASSING = /TCP\/IP socket|still in use/

function spawnServer(
  cluster: PostgresCluster,
  port: number,
  settings: readonly string[],
): SupervisedProcess {
  const all = [
    `port=${port}`,
    'listen_addresses=127.0.0.1',
    'unix_socket_directories=',
    'log_min_error_statement=panic',
    'log_parameter_max_length_on_error=0',
    ...settings,
  ]
  const args = ['-D', dataOf(cluster), ...all.flatMap((setting) => ['-c', setting])]
  const logFd = openSync(logOf(cluster), 'w', 0o600)
  try {
    const { home: cwd, account } = cluster
    return startSupervised(cluster.binaries.postgres, args, { cwd, logFd, account })
  } finally {
    closeSync(logFd)
  }
}

/** What the server prints. Rewritten at each start, so it stays small; it holds no statements. */
function logOf(cluster: PostgresCluster): string {
  return join(cluster.home, 'postgresql.log')
}

/** Whether the server takes connections; false when it has ended instead. */
async function becomesReady(
  cluster: PostgresCluster,
  port: number,
  server: SupervisedProcess,
): Promise<boolean> {
  let ended = false
  void server.exited.then(() => {
    ended = true
  })
  const deadline = Date.now() + READY_TIMEOUT_MS
  while (!ended) {
    const found = await readPidFile(cluster)
    if (found?.status === 'ready' && found.port === port) return true
    if (Date.now() > deadline) {
      await server.stop()
      throw new StartError('the embedded PostgreSQL was not ready within a minute')
    }
    await delay(20)
  }
  return false
}

interface PidFile {
  readonly pid: number
  readonly port: number
  readonly status: string | undefined
}

/**
 * The first line of postmaster.pid is the server's pid, the fourth its port, the eighth its state.
 */
async function readPidFile(cluster: ClusterPlace): Promise<PidFile | undefined> {
  try {
    const lines = (await readFile(pidFileOf(cluster), 'utf8')).split('\n')
    return { pid: Number(lines[0]), port: Number(lines[3]), status: lines[7]?.trim() }
  } catch {
    return undefined
  }
}

function pidFileOf(cluster: ClusterPlace): string {
  return join(dataOf(cluster), 'postmaster.pid')
}

/**
 * The server of a killed service ends by itself in a moment, unless its supervisor was killed too:
 * that one is signalled. A pid file whose number now belongs to another process is deleted, because
 * PostgreSQL would refuse to start.
 */
async function endLeftover(cluster: PostgresCluster): Promise<void> {
  for (const signal of ['SIGINT', 'SIGQUIT'] as const) {
    const pid = (await readPidFile(cluster))?.pid
    if (pid !== undefined && isOurServer(cluster, pid)) signalProcess(pid, signal)
    if (await leftoverEnds(cluster)) return
  }
  throw new StartError(`another PostgreSQL runs on ${dataOf(cluster)} and does not end`)
}

async function leftoverEnds(cluster: PostgresCluster): Promise<boolean> {
  const deadline = Date.now() + LEFTOVER_TIMEOUT_MS
  while (Date.now() < deadline) {
    const pid = (await readPidFile(cluster))?.pid
    if (pid === undefined) return true
    if (!isOurServer(cluster, pid)) {
      await rm(pidFileOf(cluster), { force: true })
      return true
    }
    await delay(50)
  }
  return false
}

function isOurServer(cluster: ClusterPlace, pid: number): boolean {
  if (!Number.isInteger(pid) || pid <= 1 || !isRunning(pid)) return false
  return commandLineOf(pid).includes(` -D ${dataOf(cluster)} `)
}

async function lastComplaint(cluster: PostgresCluster): Promise<string> {
  const log = await readFile(logOf(cluster), 'utf8').catch(() => '')
  const lines = log.split('\n').filter((line) => /FATAL|ERROR|PANIC|error/.test(line))
  return (lines.at(-1) ?? log.trim().split('\n').at(-1)) || 'it said nothing'
}

function lastLine(error: unknown): string {
  const stderr = error instanceof Error && 'stderr' in error ? String(error.stderr) : ''
  return stderr.trim().split('\n').at(-1) || 'it said nothing'
}
