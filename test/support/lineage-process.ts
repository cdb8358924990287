// The service as a process of its own, `src/main.ts` on a free port: for what only a real process
// shows. Whatever happens to a test, its processes end with it.

import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { dirname, join } from 'node:path'
import { createInterface } from 'node:readline'
import type { Readable } from 'node:stream'
import { findFreePort } from '../../src/embedded/free-port.ts'
import { ADMIN, type HttpTools, ISSUER, type LogLine, openTools, type Send } from './app.ts'
import { ROOT_SECRET, secretKeyOf } from './root-secrets.ts'
import type { Scope } from './scope.ts'
import { sourceArguments } from './source-process.ts'
import { until } from './until.ts'

const ROOT = dirname(dirname(import.meta.dirname))
/** A start takes 2 to 4 s; the machine may be busy. */
const READY_TIMEOUT_MS = 45_000
const START_ATTEMPTS = 3

export type Environment = Readonly<Record<string, string | undefined>>

export interface Readiness {
  readonly status: string
  readonly dependencies: Readonly<Record<string, string>>
}

export interface LineageProcess extends HttpTools {
  readonly pid: number
  readonly port: number
  /** Without a trailing slash. */
  readonly url: string
  readonly stdout: readonly string[]
  readonly stderr: readonly string[]
  /** What it has logged so far. */
  log(event?: string): LogLine[]
  /** Resolves when a line with this event has been logged, now or before. */
  logged(event: string): Promise<LogLine>
  readiness(): Promise<{ code: number; body: Readiness }>
  /** Resolves at the first 200 of `/readyz`; rejects when the process ends instead. */
  ready(): Promise<void>
  signal(name: NodeJS.Signals): void
  /** Resolves when it has ended and all that it said has been read. */
  readonly exited: Promise<{ code: number | null; signal: NodeJS.Signals | null }>
}

/** What a server is configured with; families are in PostgreSQL without `redisUrl`. */
export function serverEnvironment(databaseUrl: string, redisUrl?: string): Environment {
  return {
    DATABASE_URL: databaseUrl,
    REDIS_URL: redisUrl,
    LINEAGE_ISSUER: ISSUER,
    LINEAGE_SECRET_KEY: secretKeyOf(ROOT_SECRET),
    LINEAGE_ADMIN_CLIENT_ID: ADMIN.id,
    LINEAGE_ADMIN_CLIENT_SECRET: ADMIN.secret,
  }
}

export interface SpawnOptions {
  readonly stdoutFd?: number
  /** Where the sources of another release are. */
  readonly root?: string
  /** Below `root`; the service itself unless given. */
  readonly program?: string
  /** How requests are sent to it, where it ends TLS. */
  readonly send?: Send
}

/** Starts one and waits until all of it is up; throws with its own words when it does not get there. */
export async function startLineage(
  t: Scope,
  env: Environment,
  options: SpawnOptions = {},
): Promise<LineageProcess> {
  for (let attempt = 1; ; attempt += 1) {
    const service = await spawnLineage(t, env, options)
    try {
      await service.ready()
      await until('its dependencies', async () => (await service.readiness()).body.status === 'ok')
      return service
    } catch (error) {
      // Between us finding the port and the service listening, somebody else took it.
      const isPortTaken = service.stderr.some((line) => /^lineage: port \d+ /.test(line))
      if (!isPortTaken || env.PORT !== undefined || attempt === START_ATTEMPTS) throw error
    }
  }
}

/**
 * Starts one and waits for nothing. Without `PORT` it is given a free one. With `stdoutFd` its
 * standard output goes there, and nothing of it is seen here.
 */
export async function spawnLineage(
  t: Scope,
  env: Environment,
  { stdoutFd, root = ROOT, program = 'src/main.ts', send }: SpawnOptions = {},
): Promise<LineageProcess> {
  const port = Number(env.PORT ?? (await findFreePort()))
  // tap would load itself into every Node child, with signal handlers of its own.
  const child = spawn(
    'env',
    ['-u', 'NODE_OPTIONS', process.execPath, ...sourceArguments(join(root, program))],
    {
      cwd: root,
      env: { ...smallHashes, PATH: process.env.PATH, PORT: String(port), ...env },
      stdio: ['ignore', stdoutFd ?? 'pipe', 'pipe'],
    },
  )
  t.teardown(async () => {
    child.kill('SIGKILL')
    await exited
  })
  const exited = once(child, 'close').then(([code, signal]) => ({ code, signal }))
  let hasExited = false
  void exited.then(() => {
    hasExited = true
  })
  const [stdout, stderr] = [readLines(child.stdout), readLines(child.stderr)]
  const url = `${env.LINEAGE_TLS_CERT_FILE ? 'https' : 'http'}://127.0.0.1:${port}`
  const service: LineageProcess = {
    ...openTools(url, { basePath: '' }, send),
    pid: child.pid ?? 0,
    port,
    url,
    stdout,
    stderr,
    log: (event) => parseLog(stdout).filter((line) => !event || line.event === event),
    logged: (event) => until(`the event ${event}`, () => service.log(event)[0]),
    async readiness() {
      const answer = await service.fetch('/readyz')
      return { code: answer.status, body: (await answer.json()) as Readiness }
    },
    async ready() {
      await until('a service that is ready', isReady, READY_TIMEOUT_MS)
    },
    signal: (name) => void child.kill(name),
    exited,
  }

  async function isReady(): Promise<boolean> {
    if (hasExited) throw new Error(`the service ended: ${stderr.join(' | ')}`)
    return await service.readiness().then(
      ({ code }) => code === 200,
      () => false,
    )
  }

  return service
}

const smallHashes = { LINEAGE_ARGON2_MEMORY_KIB: '1024', LINEAGE_ARGON2_TIME: '1' }

function readLines(stream: Readable | null): string[] {
  const lines: string[] = []
  if (!stream) return lines
  createInterface({ input: stream }).on('line', (line) => void lines.push(line))
  return lines
}

/** The log is JSON lines; what is meant for a terminal stands between them. */
function parseLog(lines: readonly string[]): LogLine[] {
  return lines.filter((line) => line.startsWith('{')).map((line) => JSON.parse(line) as LogLine)
}

/** One refresh at a public client. */
export function refresh(
  service: Pick<HttpTools, 'form'>,
  client: { readonly id: string },
  refreshToken: string,
  headers: Record<string, string> = {},
): Promise<Response> {
  const parameters = { client_id: client.id, refresh_token: refreshToken }
  return service.form('/token', { grant_type: 'refresh_token', ...parameters }, headers)
}
