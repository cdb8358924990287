// Two instances at fixed ports behind nginx with deploy/nginx/two-instances.conf, under load, and the hand
// that replaces one of them by another release.

import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { findFreePort } from '../../src/embedded/free-port.ts'
import type { LogLine } from '../support/app.ts'
import { type Environment, type LineageProcess, startLineage } from '../support/lineage-process.ts'
import { type Nginx, startNginx } from '../support/nginx.ts'
import type { Scope } from '../support/scope.ts'
import { until } from '../support/until.ts'
import { type Load, PEOPLE, startLoad } from './rolling-load.ts'

export interface Release {
  readonly name: string
  readonly root: string
  /** Below `root`. */
  readonly program: string
  /** What it is told beyond what all releases are. */
  readonly env: Environment
}

export interface RollingScene {
  readonly load: Load
  /** Ends the instance by SIGTERM, starts the release in its place and waits until nginx asks it. */
  replace(slot: number, release: Release): Promise<void>
  /** By the name of a release, how many requests its processes have answered through nginx. */
  servedBy(): ReadonlyMap<string, number>
  /** Why instances have failed to answer, and how often. */
  reasons(): ReadonlyMap<string, number>
  /** The longest that an instance took for a request by its own account, and which. */
  slowest(): string
  /** What nginx has said of instances, but for ports that were closed. */
  complaints(): readonly string[]
  /** Requests that nginx has put to one instance and then to the other, by their method. */
  passedOn(): ReadonlyMap<string, number>
}

export interface RollingOptions {
  readonly env: Environment
  readonly release: Release
}

/** What the configuration of nginx says, and a delay as is to be had in a test. */
const ENV: Environment = { LINEAGE_TRUST_PROXY: 'loopback', LINEAGE_SHUTDOWN_DELAY_SECONDS: '3' }
/** The same of settings that the release before does not have; guesses of one address are many here. */
export const ENV_OF_THIS: Environment = {
  LINEAGE_CLIENT_CERT_HEADER: 'off',
  LINEAGE_THROTTLE_EXEMPT: '127.0.0.1',
}
const LOG_FORMAT = `log_format asked '$request_method $uri $status $upstream_status';
  access_log access.log asked;`

interface Life {
  readonly release: string
  readonly service: LineageProcess
}

/** Resolves when every kind of request has been answered through nginx. */
export async function openRollingScene(
  scope: Scope,
  { env, release }: RollingOptions,
): Promise<RollingScene> {
  const ports = [await findFreePort(), await findFreePort()]
  const lives: Life[] = []
  const start = async ({ name, root, program, env: own }: Release, port: number) => {
    const all = { ...ENV, ...env, ...own, PORT: String(port) }
    const service = await startLineage(scope, all, { root, program })
    lives.push({ release: name, service })
    return service
  }
  const slots = await Promise.all(ports.map((port) => start(release, port)))
  const [first, second] = slots
  if (!first || !second) throw new Error('two were started')
  const nginx = await startNginx(scope, {
    configuration: 'two-instances.conf',
    replace: {
      '127.0.0.1:3000': `127.0.0.1:${first.port}`,
      '127.0.0.1:3001': `127.0.0.1:${second.port}`,
      'access_log off;': LOG_FORMAT,
    },
  })
  const load = await openLoad(scope, nginx, first, second)
  return {
    load,
    async replace(slot, next) {
      const old = slots[slot]
      if (!old) throw new Error(`no instance ${slot}`)
      old.signal('SIGTERM')
      const { code } = await old.exited
      if (code !== 0) throw new Error(`ended with ${code}: ${old.stderr.join(' | ')}`)
      const started = await start(next, old.port)
      slots[slot] = started
      await until('an instance that nginx asks', () => refreshesOf(started).length > 0)
    },
    servedBy() {
      const counts = new Map<string, number>()
      for (const { release: name, service } of lives) {
        const served = service.log('request.completed').length
        counts.set(name, (counts.get(name) ?? 0) + served)
      }
      return counts
    },
    reasons() {
      const counts = new Map<string, number>()
      for (const { service } of lives) {
        for (const line of service.log()) {
          if (Number(line.status ?? 0) < 500 || !/^request\.(failed|refused)$/.test(line.event))
            continue
          const { message } = (line.err ?? {}) as { message?: string }
          const reason = [line.reason, message].filter(Boolean).join(': ')
          counts.set(reason, (counts.get(reason) ?? 0) + 1)
        }
      }
      return counts
    },
    slowest() {
      const lines = lives.flatMap(({ service }) => service.log('request.completed'))
      const [longest] = lines.sort((a, b) => Number(b.durationMs) - Number(a.durationMs))
      return `${longest?.durationMs} ms for ${longest?.route}, ${longest?.grant ?? longest?.status}`
    },
    complaints: () =>
      readFileSync(join(nginx.dir, 'error.log'), 'utf8')
        .split('\n')
        .filter((line) => line !== '' && !line.includes('Connection refused')),
    passedOn: () => passedOn(nginx),
  }
}

/** Answers of `/token`: what the scene itself asks of an instance is none. */
function refreshesOf(service: LineageProcess): LogLine[] {
  return service.log('request.completed').filter(({ route }) => route === '/token')
}

async function openLoad(
  scope: Scope,
  { url }: Nginx,
  first: LineageProcess,
  second: LineageProcess,
): Promise<Load> {
  const client = await first.makeClient({ type: 'public' })
  const watcher = await first.makeClient({
    type: 'confidential',
    grantTypes: ['client_credentials'],
    scopes: ['lineage:introspect'],
  })
  const people = await Promise.all(Array.from({ length: PEOPLE }, () => first.makeUser()))
  // The second one sees them within seconds.
  for (const { id, secret } of [client, watcher]) {
    const form = { grant_type: 'refresh_token', client_id: id, refresh_token: 'lrt_x' }
    await until('the client at both', async () => {
      const answer = await second.form('/token', { ...form, client_secret: secret || undefined })
      return ((await answer.json()) as { error: string }).error !== 'invalid_client'
    })
  }
  const load = startLoad({ url, client, watcher, people })
  scope.teardown(() => load.stop())
  await until('every kind of answer', () => load.answered.size >= 9 || load.failures.length > 0)
  return load
}

function passedOn({ dir }: Nginx): ReadonlyMap<string, number> {
  const counts = new Map<string, number>()
  for (const line of readFileSync(join(dir, 'access.log'), 'utf8').split('\n')) {
    const [method = '', , , ...statuses] = line.split(' ')
    if (statuses.length > 1) counts.set(method, (counts.get(method) ?? 0) + 1)
  }
  return counts
}
