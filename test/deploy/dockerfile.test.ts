// What the Dockerfile promises, as far as its text tells; test/interop/container.test.ts builds it.

import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, readFileSync } from 'node:fs'
import { createServer } from 'node:http'
import { createServer as createTlsServer } from 'node:https'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { test } from 'tap'
import { makeSelfSigned } from '../support/certificates.ts'
import { baseImage, imageEnvironment, lastStage, readDockerfile, valuesOf } from './dockerfile.ts'

const ROOT = fileURLToPath(new URL('../..', import.meta.url))
const ALL = readDockerfile()
const IMAGE = lastStage(ALL)

/** The command of HEALTHCHECK, without what the shell would make of it: there is no shell. */
function healthCommand(): string[] {
  const [check = ''] = valuesOf(IMAGE, 'HEALTHCHECK')
  return JSON.parse(check.replace(/^.*? CMD /, '')) as string[]
}

test('every stage comes from one base, pinned to a full version', async (t) => {
  const [first = '', ...others] = valuesOf(ALL, 'FROM')
  t.match(first, /^docker\.io\/library\/node:\d+\.\d+\.\d+-[a-z]+-slim AS base$/)
  for (const from of others) t.match(from, /^base AS /)
  t.equal(others.length, 3)
})

test('packages come from the lock, run no scripts, and the image has neither dev nor embedded ones', async (t) => {
  const installs = valuesOf(ALL, 'RUN').filter((run) => run.startsWith('npm ci'))
  t.strictSame(installs, [
    'npm ci --ignore-scripts --workspaces=false',
    'npm ci --ignore-scripts --workspaces=false --omit=dev --omit=optional',
  ])
  t.strictSame(valuesOf(IMAGE, 'COPY'), [
    'package.json ./',
    'prisma/migrations prisma/migrations',
    '--from=packages /app/node_modules node_modules',
    '--from=build /compiled dist',
  ])
})

test('what runs is Node as PID 1, by number no root, stopped by SIGTERM', async (t) => {
  t.strictSame(valuesOf(IMAGE, 'USER'), ['1000:1000'])
  t.strictSame(valuesOf(IMAGE, 'STOPSIGNAL'), ['SIGTERM'])
  const [entrypoint = ''] = valuesOf(IMAGE, 'ENTRYPOINT')
  t.strictSame(JSON.parse(entrypoint), ['node', '--enable-source-maps', 'dist/main.js'])
  const { scripts } = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8')) as {
    scripts: { start: string }
  }
  t.ok(scripts.start.endsWith(' node --enable-source-maps dist/main.js'), 'as npm start does')
})

test('the image listens on every address and lets load balancers notice', async (t) => {
  const { HOST, LINEAGE_SHUTDOWN_DELAY_SECONDS, ...rest } = imageEnvironment()
  t.strictSame(
    { HOST, LINEAGE_SHUTDOWN_DELAY_SECONDS },
    {
      HOST: '0.0.0.0',
      LINEAGE_SHUTDOWN_DELAY_SECONDS: '5',
    },
  )
  t.strictSame(Object.keys(rest), ['UV_THREADPOOL_SIZE'])
})

test('a build is sent what it copies, and nothing else', async (t) => {
  const [all, ...lines] = readFileSync(join(ROOT, '.dockerignore'), 'utf8')
    .split('\n')
    .filter((line) => line !== '' && !line.startsWith('#'))
  t.equal(all, '*')
  const sent = lines.filter((line) => line.startsWith('!')).map((line) => line.slice(1))
  const copied = valuesOf(ALL, 'COPY')
    .filter((copy) => !copy.startsWith('--from'))
    .flatMap((copy) => copy.split(' ').slice(0, -1))
    .filter((path) => path !== 'prisma/migrations')
  t.strictSame([...new Set(copied)].sort(), [...sent].sort())
  for (const path of sent) t.ok(existsSync(join(ROOT, path)), path)
})

test('the health check asks /livez, on LINEAGE_OPS_PORT where that is set', async (t) => {
  const asked: (string | undefined)[] = []
  let status = 200
  const server = createServer((request, response) => {
    asked.push(request.url)
    response.writeHead(status).end()
  })
  t.teardown(() => server.close())
  await once(server.listen(0, '127.0.0.1'), 'listening')
  const port = String((server.address() as AddressInfo).port)
  t.equal(await runHealthCheck({ PORT: port }), 0)
  t.equal(await runHealthCheck({ PORT: '1', LINEAGE_OPS_PORT: port }), 0)
  t.strictSame(asked, ['/livez', '/livez'])
  status = 503
  t.equal(await runHealthCheck({ PORT: port }), 1)
  server.close()
  server.closeAllConnections()
  t.equal(await runHealthCheck({ PORT: port }), 1, 'nobody listens')
})

test('the health check asks over TLS where that is set, whoever signed the certificate', async (t) => {
  const server = createTlsServer(makeSelfSigned({}), (_request, response) => response.end())
  t.teardown(() => server.close())
  await once(server.listen(0, '127.0.0.1'), 'listening')
  const port = String((server.address() as AddressInfo).port)
  t.equal(await runHealthCheck({ PORT: port, LINEAGE_TLS_CERT_FILE: '/run/tls/tls.crt' }), 0)
  t.equal(await runHealthCheck({ PORT: port }), 1)
})

async function runHealthCheck(env: Record<string, string>): Promise<number | null> {
  const [program, ...args] = healthCommand()
  if (program !== 'node') throw new Error(`an unknown health check: ${program}`)
  const child = spawn(process.execPath, args, { env, stdio: 'ignore' })
  const [code] = (await once(child, 'close')) as [number | null]
  return code
}

test('the base is the image that docker-compose.yml makes its secrets with', async (t) => {
  const compose = readFileSync(join(ROOT, 'docker-compose.yml'), 'utf8')
  t.ok(compose.includes(`image: ${baseImage()}\n`))
})
