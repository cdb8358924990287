// The service with what a pod of the chart has: its variables and its mounted files, held against the
// service's own reading of them, and then a real process of it on a real PostgreSQL and Redis.

import { spawn } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { basename, join } from 'node:path'
import type { Job } from 'kubernetes-types/batch/v1.js'
import type { Container, Pod, PodSpec } from 'kubernetes-types/core/v1.js'
import { type Test, test } from 'tap'
import { type Config, readConfig } from '../../src/config/service-config.ts'
import { findFreePort } from '../../src/embedded/free-port.ts'
import { DRAIN_MS, stopLimitMs } from '../../src/runtime/close-on-signal.ts'
import { imageEnvironment, lastStage, readDockerfile, valuesOf } from '../deploy/dockerfile.ts'
import { runCommand } from '../support/command-line.ts'
import { type Environment, spawnLineage } from '../support/lineage-process.ts'
import { openEmptyDatabase } from '../support/postgres.ts'
import { openTestRedis } from '../support/redis.ts'
import { until } from '../support/until.ts'
import { CLIENT, FOREIGN_SECRETS, MINIMAL } from './chart/chart-scenarios.ts'
import { inEach } from './chart/each-scenario.ts'
import {
  environmentOf,
  NAME,
  type Rendered,
  readMounted,
  renderChart,
} from './chart/rendered-chart.ts'
import { ensureTools, whyNoHelm } from './programs/helm.ts'

const skip = whyNoHelm() ?? false
const ADMIN_SECRET = 'of-the-admin-client-0123456789abcdef'

const podOf = ({ deployment }: Rendered) => deployment.spec?.template.spec as PodSpec
const jobOf = ({ find }: Rendered) =>
  (find('Job', `${NAME}-migrate`) as Job).spec?.template.spec as PodSpec

function configure(rendered: Rendered, pod: PodSpec): ReturnType<typeof readConfig> {
  const env = { ...imageEnvironment(), ...environmentOf(rendered, pod.containers[0] as Container) }
  return readConfig(env, (path) => readMounted(rendered, pod, path, FOREIGN_SECRETS))
}

test('the service takes the variables and the files of each pod that runs it', {
  skip,
}, async (t) => {
  await inEach(t, (t, rendered, { issuer }) => {
    const pods = [podOf(rendered), ...(rendered.all('Job').length > 0 ? [jobOf(rendered)] : [])]
    for (const pod of pods) {
      const read = configure(rendered, pod)
      t.match(read, { config: { mode: 'server', issuer } })
      t.strictSame('problems' in read ? read.problems : [], [])
    }
  })
})

test('it has the ports that the pod shows, and the time to end that it takes', {
  skip,
}, async (t) => {
  await inEach(t, (t, rendered, values) => {
    const { config } = configure(rendered, podOf(rendered)) as { config: Config }
    t.strictSame(rendered.container.ports, [
      { name: 'http', containerPort: config.port },
      { name: 'ops', containerPort: config.opsPort },
    ])
    const { terminationGracePeriodSeconds = 0 } = podOf(rendered)
    const delay = config.shutdownDelaySeconds
    t.equal(delay, values.shutdownDelaySeconds ?? 5)
    t.ok(terminationGracePeriodSeconds * 1000 >= stopLimitMs(delay))
    t.ok(terminationGracePeriodSeconds * 1000 >= delay * 1000 + DRAIN_MS)
    const { periodSeconds = 0, failureThreshold = 0 } = rendered.container.startupProbe ?? {}
    // A database is waited for half a minute, the migrations of another instance a whole one.
    t.ok(periodSeconds * failureThreshold >= 90)
    const doesJob = rendered.all('Job').length > 0
    t.equal(config.migrate, doesJob ? 'check' : 'auto')
    t.equal(config.tls !== undefined, 'tls' in values)
  })
})

test("each value of the settings arrives as the service's own", { skip }, async (t) => {
  const { helm } = ensureTools('v4.1.4')
  const rendered = renderChart(helm, {
    ...MINIMAL,
    trustedProxies: ['10.0.0.0/8', 'fd00::/8'],
    containerPorts: { http: 8080, ops: 8081 },
    shutdownDelaySeconds: 300,
    settings: {
      LINEAGE_WORKERS: 4,
      LINEAGE_REFRESH_ABSOLUTE_TTL_SECONDS: 315_360_000,
      LINEAGE_THROTTLE: false,
      LINEAGE_PASSWORD_BLOCKLIST: true,
      UV_THREADPOOL_SIZE: 16,
      OTEL_EXPORTER_OTLP_ENDPOINT: 'http://collector.example.com:4318',
      OTEL_SDK_DISABLED: false,
      OTEL_TRACES_SAMPLER_ARG: 0.05,
    },
    secrets: { ...MINIMAL.secrets, otlpHeaders: { existingSecret: 'collector' } },
  })
  t.match(configure(rendered, podOf(rendered)), {
    config: {
      trustProxy: ['10.0.0.0/8', 'fd00::/8'],
      port: 8080,
      opsPort: 8081,
      shutdownDelaySeconds: 300,
      workers: 4,
      refreshAbsoluteTtlSeconds: 315_360_000,
      throttle: 'off',
      passwordBlocklist: true,
      threads: 16,
      certificateHeader: 'off',
      telemetry: {
        traces: { sampler: { ratio: 0.05 }, headers: { authorization: 'of-the-collector' } },
      },
    },
  })
})

/** The variables of a pod's container, with its files written into a folder of this machine. */
function placeOnThisMachine(t: Test, rendered: Rendered, pod: PodSpec): Environment {
  const dir = mkdtempSync(join(tmpdir(), 'lineage-pod-'))
  t.teardown(() => rmSync(dir, { recursive: true, force: true }))
  const env = { ...imageEnvironment(), ...environmentOf(rendered, pod.containers[0] as Container) }
  return Object.fromEntries(
    Object.entries(env).map(([name, value]) => {
      if (!/_FILE$/.test(name)) return [name, value]
      const paths = value.split(',').map((file) => {
        const path = join(dir, basename(file))
        writeFileSync(path, readMounted(rendered, pod, file, FOREIGN_SECRETS), { mode: 0o440 })
        return path
      })
      return [name, paths.join()]
    }),
  )
}

test('a job migrates, pods that would not have started without it do, and end', {
  skip,
}, async (t) => {
  const [database, redis] = await Promise.all([openEmptyDatabase(t), openTestRedis(t)])
  const [http, ops] = [await findFreePort(), await findFreePort()]
  const rendered = renderChart(ensureTools('v4.1.4').helm, {
    ...MINIMAL,
    issuer: `http://127.0.0.1:${http}`,
    containerPorts: { http, ops },
    migrations: { mode: 'job' },
    serviceMonitor: { enabled: true },
    settings: { HOST: '127.0.0.1', LINEAGE_ADMIN_CLIENT_ID: 'admin' },
    shutdownDelaySeconds: 0,
    apply: { documents: { clients: [CLIENT] } },
    secrets: {
      ...MINIMAL.secrets,
      databaseUrl: { value: database.url },
      redisUrl: { value: redis.url },
      adminClientSecret: { value: ADMIN_SECRET },
    },
  })
  const env = placeOnThisMachine(t, rendered, podOf(rendered))
  const tooEarly = await spawnLineage(t, env)
  t.match(await tooEarly.exited, { code: 1 })
  t.match(tooEarly.stderr.join(' '), 'migration')

  const job = jobOf(rendered)
  const [node, ...args] = job.containers[0]?.command ?? []
  // The image starts dist/main.js; the job starts dist/cli.js beside it.
  const [entrypoint = ''] = valuesOf(lastStage(readDockerfile()), 'ENTRYPOINT')
  const start = (JSON.parse(entrypoint) as string[]).join(' ').replace('main.js', 'cli.js')
  t.equal([node, ...args].join(' '), `${start} migrate`)
  const migrated = await runCommand(t, placeOnThisMachine(t, rendered, job), args.slice(-1))
  t.match(migrated, { code: 0, stderr: /migrations applied: [1-9]/ })

  const service = await spawnLineage(t, env)
  const probe = (path: string | undefined) =>
    fetch(`http://127.0.0.1:${ops}${path}`).then(
      ({ status }) => status,
      () => 0,
    )
  const paths = [rendered.container.livenessProbe, rendered.container.readinessProbe].map(
    (one) => one?.httpGet?.path,
  )
  const { endpoints } = (
    rendered.find('ServiceMonitor') as { spec: { endpoints: { path: string }[] } }
  ).spec
  for (const path of [...paths, endpoints[0]?.path]) {
    await until(`200 of ${path}`, async () => {
      if (service.stderr.length > 0) throw new Error(service.stderr.join(' '))
      return (await probe(path)) === 200
    })
  }
  t.strictSame(
    await Promise.all(
      ['/livez', '/readyz', '/metrics', '/admin/users'].map((path) =>
        service.fetch(path).then(({ status }) => status),
      ),
    ),
    [404, 404, 404, 404],
    'none of it at the public port',
  )
  const answer = await service.form('/token', {
    grant_type: 'client_credentials',
    client_id: 'admin',
    client_secret: ADMIN_SECRET,
  })
  t.equal(answer.status, 200)
  t.match(await service.logged('declaration.applied'), { changed: 1, unchanged: 0 })
  t.equal(await runTestPod(rendered, `http://127.0.0.1:${ops}`), 0, 'the test of the release')
  service.signal('SIGTERM')
  t.strictSame(await service.exited, { code: 0, signal: null })
  t.not(await runTestPod(rendered, `http://127.0.0.1:${ops}`), 0, 'and it can fail')
})

test('a pod with a certificate speaks TLS to its probes and to the test', { skip }, async (t) => {
  const database = await openEmptyDatabase(t)
  const [http, ops] = [await findFreePort(), await findFreePort()]
  const rendered = renderChart(ensureTools('v4.1.4').helm, {
    ...MINIMAL,
    secrets: { ...MINIMAL.secrets, databaseUrl: { value: database.url } },
    issuer: `https://localhost:${http}`,
    containerPorts: { http, ops },
    tls: { existingSecret: 'certificate', clientCaSecret: 'authorities', clientCaKey: 'roots.pem' },
    settings: { HOST: '127.0.0.1' },
    shutdownDelaySeconds: 0,
  })
  const service = await spawnLineage(t, placeOnThisMachine(t, rendered, podOf(rendered)))
  await service.logged('service.started')
  t.equal(rendered.container.readinessProbe?.httpGet?.scheme, 'HTTPS')
  await until('a release that passes its test', async () => {
    if (service.stderr.length > 0) throw new Error(service.stderr.join(' '))
    return (await runTestPod(rendered, `https://127.0.0.1:${ops}`)) === 0
  })
  service.signal('SIGTERM')
  t.strictSame(await service.exited, { code: 0, signal: null })
})

/** What `helm test` runs, asking another origin than the Service's; gives the exit code. */
async function runTestPod({ find }: Rendered, origin: string): Promise<number | null> {
  const { command = [] } = ((find('Pod', `${NAME}-test`) as Pod).spec as PodSpec)
    .containers[0] as Container
  const [program, option = '', script = '', url = ''] = command
  if (program !== 'node' || option !== '-e') throw new Error('the test is no script of Node')
  const child = spawn('env', [
    ...(['-u', 'NODE_OPTIONS', process.execPath, option, script] as const),
    url.replace(/^https?:\/\/[\w-]+:\d+/, origin),
  ])
  return await new Promise((settle) => child.once('exit', settle))
}
