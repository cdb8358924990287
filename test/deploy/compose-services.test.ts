// What docker-compose.yml runs, run here without containers: the generator of the secrets, Redis
// with the file's arguments, PostgreSQL's health check, and the service with the file's environment.

import { spawnSync } from 'node:child_process'
import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import pg from 'pg'
import { type Test, test } from 'tap'
import { startLineage } from '../support/lineage-process.ts'
import { startPostgres } from '../support/postgres.ts'
import { runRedis } from '../support/redis-process.ts'
import { type ComposeService, readComposeFile } from './compose-file.ts'
import { imageEnvironment } from './dockerfile.ts'

const GENERATOR = fileURLToPath(
  new URL('../../deploy/compose/generate-secrets.mjs', import.meta.url),
)
const { services } = readComposeFile()
const FILES = [
  'lineage/admin_client_secret',
  'lineage/database_url',
  'lineage/redis_url',
  'lineage/secret_key',
  'postgres/password',
  'redis/password',
  'redis/redis.conf',
]

function makeDirectory(t: Test): string {
  const dir = mkdtempSync(join(tmpdir(), 'lineage-secrets-'))
  t.teardown(() => rmSync(dir, { recursive: true, force: true }))
  return dir
}

function generate(dir: string): string {
  const { status, stdout, stderr } = spawnSync(process.execPath, [GENERATOR, dir], {
    encoding: 'utf8',
  })
  if (status !== 0) throw new Error(stderr)
  return stdout
}

function readAll(dir: string): Record<string, string> {
  return Object.fromEntries(FILES.map((path) => [path, readFileSync(join(dir, path), 'utf8')]))
}

test('secrets are made once, are all different, and are never printed', async (t) => {
  const dir = makeDirectory(t)
  t.equal(generate(dir), 'secrets: 4 made, 0 kept\n')
  const first = readAll(dir)
  const found = readdirSync(dir, { recursive: true, encoding: 'utf8' }).filter((path) =>
    statSync(join(dir, path)).isFile(),
  )
  t.strictSame(found.sort(), FILES)
  for (const path of FILES) t.equal(statSync(join(dir, path)).mode & 0o777, 0o444, path)
  const secrets = ['lineage/secret_key', 'lineage/admin_client_secret', 'postgres/password']
  const values = [...secrets, 'redis/password'].map((path) => first[path])
  for (const value of values) t.match(value, /^[A-Za-z0-9_-]{43}\n$/)
  t.equal(new Set(values).size, 4)
  t.equal(generate(dir), 'secrets: 0 made, 4 kept\n')
  t.strictSame(readAll(dir), first)
})

test('a run that was cut off is completed without a change of what is in use', async (t) => {
  const dir = makeDirectory(t)
  generate(dir)
  const first = readAll(dir)
  rmSync(join(dir, 'redis'), { recursive: true })
  rmSync(join(dir, 'lineage/database_url'))
  writeFileSync(join(dir, 'lineage/database_url.new'), 'half', { mode: 0o444 })
  t.equal(generate(dir), 'secrets: 1 made, 3 kept\n')
  const second = readAll(dir)
  t.equal(second['lineage/database_url'], first['lineage/database_url'])
  t.not(second['redis/password'], first['redis/password'])
  t.match(second['lineage/redis_url'], `redis://:${second['redis/password']?.trim()}@redis:6379`)
})

test("the service is ready with the file's environment, stores and secrets", async (t) => {
  const dir = makeDirectory(t)
  generate(dir)
  const [postgres, redis] = await Promise.all([startDatabase(t, dir), startStore(t, dir)])
  replaceIn(join(dir, 'lineage/database_url'), '@postgres:5432/', `@127.0.0.1:${postgres.port}/`)
  replaceIn(join(dir, 'lineage/redis_url'), '@redis:6379', `@127.0.0.1:${redis.port}`)
  const service = await startLineage(t, {
    ...imageEnvironment(),
    ...inDirectory(services.lineage.environment ?? {}, join(dir, 'lineage')),
    HOST: '127.0.0.1',
  })
  const { body } = await service.readiness()
  t.strictSame(body, { status: 'ok', dependencies: { postgresql: 'ok', redis: 'ok' } })
  const answer = await service.form('/token', {
    grant_type: 'client_credentials',
    client_id: 'admin',
    client_secret: readFileSync(join(dir, 'lineage/admin_client_secret'), 'utf8').trim(),
  })
  t.equal(answer.status, 200)
  service.signal('SIGTERM')
  t.strictSame(await service.exited, { code: 0, signal: null })
})

const noClients = ['pg_isready', 'redis-cli'].find(
  (name) => spawnSync(name, ['--version'], { stdio: 'ignore' }).status !== 0,
)
const skip = noClients ? `${noClients} is not on this machine` : false

test("the stores' health checks pass, and fail where they should", { skip }, async (t) => {
  const dir = makeDirectory(t)
  generate(dir)
  const [postgres, redis] = await Promise.all([startDatabase(t, dir), startStore(t, dir)])
  t.equal(isHealthy(services.postgres, dir, postgres.port), true)
  t.equal(isHealthy(services.redis, dir, redis.port), true)
  t.equal(isHealthy(services.postgres, dir, redis.port), false)
  rmSync(join(dir, 'redis/password'))
  writeFileSync(join(dir, 'redis/password'), 'another password\n')
  t.equal(isHealthy(services.redis, dir, redis.port), false)
})

/** As the image makes it: the superuser and its database, with the password of the file. */
async function startDatabase(t: Test, dir: string): Promise<{ port: number }> {
  const server = await startPostgres(t)
  const password = readFileSync(join(dir, 'postgres/password'), 'utf8').trim()
  const client = new pg.Client({ connectionString: server.url })
  await client.connect()
  const { POSTGRES_USER = '', POSTGRES_DB = '' } = services.postgres.environment ?? {}
  // The name of the superuser, here and there.
  await client.query(`ALTER ROLE ${POSTGRES_USER} PASSWORD '${password}'`)
  await client.query(`CREATE DATABASE ${POSTGRES_DB} OWNER ${POSTGRES_USER}`)
  await client.end()
  return { port: Number(new URL(server.url).port) }
}

/** redis-server with the arguments of the file, on this machine's paths. */
function startStore(t: Test, dir: string): Promise<{ port: number }> {
  t.strictSame(services.redis.entrypoint, ['redis-server'])
  const [config = '', ...rest] = services.redis.command ?? []
  return runRedis(t, () => [config.replace('/run/lineage', join(dir, 'redis')), ...rest])
}

/** The health check of the file, at the port of this machine. */
function isHealthy(service: ComposeService, dir: string, port: number): boolean {
  const [mode, ...words] = service.healthcheck?.test ?? []
  const env = { PATH: process.env.PATH, PGPORT: String(port) }
  const script = words
    .join(' ')
    .replaceAll('$$', '$')
    .replaceAll('/run/lineage', join(dir, 'redis'))
    .replace('redis-cli', `redis-cli -p ${port}`)
  const [program = '', ...args] = mode === 'CMD-SHELL' ? ['/bin/sh', '-c', script] : words
  const { status, error } = spawnSync(program, args, { env })
  if (error) throw error
  return status === 0
}

function inDirectory(env: Readonly<Record<string, string>>, dir: string): Record<string, string> {
  return Object.fromEntries(
    Object.entries(env).map(([name, value]) => [name, value.replace('/run/lineage', dir)]),
  )
}

function replaceIn(path: string, from: string, to: string): void {
  const text = readFileSync(path, 'utf8')
  if (!text.includes(from)) throw new Error(`${path} does not name ${from}`)
  rmSync(path)
  writeFileSync(path, text.replace(from, to))
}
