// `npm run bench`: what a request costs the server in CPU time, as ratios to the floor measured in
// the same run. Rounds alternate, so that a noisy machine is noisy for all of them; the median counts.

import { type ChildProcess, spawn } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { findFreePort } from '../src/embedded/free-port.ts'
import { startSharedPostgres } from '../test/support/postgres.ts'
import { type Chain, closeLoad, load, type Target } from './load.ts'
import { type MeasuredServer, startMeasuredServer } from './measured-server.ts'

const ROUNDS = Number(process.env.BENCH_ROUNDS ?? 5)
const SECONDS = Number(process.env.BENCH_SECONDS ?? 2)
const CHAINS = 16
const ADMIN = { id: 'bench-admin', secret: randomBytes(24).toString('hex') }

interface Subject {
  readonly name: string
  readonly server: MeasuredServer
  readonly target: Target
  readonly chains: readonly Chain[]
}

interface Measure {
  readonly perSecond: number
  readonly cpuMicros: number
}

async function main(): Promise<void> {
  const redis = await startRedis()
  const postgres = await startSharedPostgres()
  const floor = await startFloor(redis.url)
  const lineage = await startLineage(postgres.url, redis.url)
  try {
    const subjects = [floorSubject(floor), ...(await lineageSubjects(lineage.server, lineage.port))]
    for (const subject of subjects) await measure(subject, 1)
    const measures = new Map<string, Measure[]>(subjects.map(({ name }) => [name, []]))
    for (let round = 0; round < ROUNDS; round += 1) {
      for (const subject of subjects) {
        measures.get(subject.name)?.push(await measure(subject, SECONDS))
      }
    }
    report(measures)
  } finally {
    closeLoad()
    await Promise.all([lineage.server.stop(), floor.server.stop()])
    redis.stop()
  }
  // The database that the benchmark shares with the tests' support ends with this process.
  process.exit(0)
}

async function measure(subject: Subject, seconds: number): Promise<Measure> {
  const before = await subject.server.cpuMicros()
  const answers = await load(subject.target, subject.chains, seconds)
  const cpuMicros = (await subject.server.cpuMicros()) - before
  return { perSecond: answers / seconds, cpuMicros: cpuMicros / answers }
}

function report(measures: ReadonlyMap<string, readonly Measure[]>): void {
  const median = (values: number[]) =>
    values.sort((a, b) => a - b)[values.length >> 1] ?? Number.NaN
  const rows = [...measures].map(([name, rounds]) => ({
    name,
    perSecond: Math.round(median(rounds.map((round) => round.perSecond))),
    cpuMicros: median(rounds.map((round) => round.cpuMicros)),
  }))
  const floorMicros = rows[0]?.cpuMicros ?? Number.NaN
  console.log(
    `Node ${process.version}, ${CHAINS} connections, median of ${ROUNDS} x ${SECONDS} s\n`,
  )
  console.log('what                  requests/s   server CPU/request   to the floor')
  for (const { name, perSecond, cpuMicros } of rows) {
    const ratio = (cpuMicros / floorMicros).toFixed(2)
    const cpu = `${Math.round(cpuMicros)} us`
    console.log(
      `${name.padEnd(22)}${String(perSecond).padStart(10)}${cpu.padStart(21)}${ratio.padStart(15)}`,
    )
  }
}

async function startRedis(): Promise<{ url: string; stop(): void }> {
  const port = await findFreePort()
  const dir = mkdtempSync(join(tmpdir(), 'lineage-bench-'))
  const args = ['--port', String(port), '--bind', '127.0.0.1', '--dir', dir, '--save', '']
  const durable = ['--appendonly', 'yes', '--maxmemory-policy', 'noeviction']
  const child: ChildProcess = spawn('redis-server', [...args, ...durable], { stdio: 'ignore' })
  process.on('exit', () => {
    child.kill('SIGKILL')
    rmSync(dir, { recursive: true, force: true })
  })
  await delay(500)
  return { url: `redis://127.0.0.1:${port}`, stop: () => child.kill() }
}

async function startFloor(redisUrl: string): Promise<{ server: MeasuredServer; port: number }> {
  const env = { FLOOR_REDIS_URL: redisUrl }
  const server = startMeasuredServer(new URL('floor.ts', import.meta.url), env, ['--import=tsx'])
  const [{ port }] = (await once(server.child, 'message')) as [{ port: number }]
  return { server, port }
}

async function startLineage(
  databaseUrl: string,
  redisUrl: string,
): Promise<{ server: MeasuredServer; port: number }> {
  const port = await findFreePort()
  const server = startMeasuredServer(new URL('../dist/main.js', import.meta.url), {
    PORT: String(port),
    LOG_LEVEL: process.env.BENCH_LOG_LEVEL ?? 'info',
    DATABASE_URL: databaseUrl,
    REDIS_URL: redisUrl,
    LINEAGE_ISSUER: `http://localhost:${port}`,
    LINEAGE_SECRET_KEY: randomBytes(32).toString('base64url'),
    LINEAGE_ADMIN_CLIENT_ID: ADMIN.id,
    LINEAGE_ADMIN_CLIENT_SECRET: ADMIN.secret,
  })
  for (;;) {
    const answer = await fetch(`http://127.0.0.1:${port}/readyz`).catch(() => undefined)
    if (answer?.status === 200) return { server, port }
    if (server.child.exitCode !== null) throw new Error('the service did not start')
    await delay(100)
  }
}

function floorSubject({ server, port }: { server: MeasuredServer; port: number }): Subject {
  const chains = Array.from({ length: CHAINS }, () => () => 'grant_type=x&client_id=floor')
  return { name: 'floor', server, target: { port, method: 'POST', path: '/' }, chains }
}

async function lineageSubjects(server: MeasuredServer, port: number): Promise<Subject[]> {
  const api = openApi(port)
  const service = await api.makeClient('confidential', ['client_credentials'])
  const app = await api.makeClient('public', ['password', 'refresh_token'])
  await api.admin('/admin/users', {
    username: 'bench',
    email: 'b@example.com',
    password: 'bench-password',
  })
  const login = `grant_type=password&client_id=${app.id}&username=bench&password=bench-password`
  const { access_token: accessToken } = await api.form(login)
  const refreshChains: Chain[] = []
  for (let i = 0; i < CHAINS; i += 1) {
    let token = (await api.form(login)).refresh_token
    refreshChains.push((answer) => {
      if (answer !== undefined)
        token = (JSON.parse(answer) as { refresh_token: string }).refresh_token
      return `grant_type=refresh_token&client_id=${app.id}&refresh_token=${token}`
    })
  }
  const credentials = `grant_type=client_credentials&client_id=${service.id}&client_secret=${service.clientSecret}`
  const same = (body: string): Chain[] => Array.from({ length: CHAINS }, () => () => body)
  const token = { port, method: 'POST', path: '/token' } as const
  return [
    { name: 'refresh_token', server, target: token, chains: refreshChains },
    { name: 'client_credentials', server, target: token, chains: same(credentials) },
    {
      name: '/verify',
      server,
      target: { port, method: 'GET', path: '/verify', authorization: `Bearer ${accessToken}` },
      chains: same(''),
    },
    {
      name: 'JWKS',
      server,
      target: { port, method: 'GET', path: '/.well-known/jwks.json' },
      chains: same(''),
    },
  ]
}

function openApi(port: number) {
  const url = `http://127.0.0.1:${port}`
  const api = {
    async form(body: string): Promise<{ access_token: string; refresh_token: string }> {
      const headers = { 'content-type': 'application/x-www-form-urlencoded' }
      const answer = await fetch(`${url}/token`, { method: 'POST', body, headers })
      if (answer.status !== 200) throw new Error(await answer.text())
      return (await answer.json()) as { access_token: string; refresh_token: string }
    },
    async admin(path: string, body: object): Promise<{ id: string; clientSecret: string }> {
      const grant = `grant_type=client_credentials&client_id=${ADMIN.id}&client_secret=${ADMIN.secret}`
      const { access_token: token } = await api.form(grant)
      const answer = await fetch(`${url}${path}`, {
        method: 'POST',
        body: JSON.stringify(body),
        headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
      })
      if (answer.status !== 201) throw new Error(await answer.text())
      return (await answer.json()) as { id: string; clientSecret: string }
    },
    makeClient: (type: string, grantTypes: string[]) =>
      api.admin('/admin/clients', { name: 'bench', type, grantTypes }),
  }
  return api
}

await main()
