// The rules of docker-compose.yml; compose-services.test.ts runs what it runs.

import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { test } from 'tap'
import { type ComposeService, mountsOf, readComposeFile, type ServiceName } from './compose-file.ts'

const ROOT = fileURLToPath(new URL('../..', import.meta.url))
const { services, networks, volumes } = readComposeFile()
const SERVICES = Object.entries(services) as [ServiceName, ComposeService][]

test('images are pinned to a full version, but for the one that is built here', async (t) => {
  for (const [name, { image, build }] of SERVICES) {
    if (name === 'lineage') t.strictSame({ image, build }, { image: 'lineage', build: '.' })
    else t.match(image, /^docker\.io\/library\/[a-z]+:\d+\.\d+(\.\d+)?-[a-z-]+$/, name)
  }
})

test('no service may write its image, has a capability or gains one', async (t) => {
  for (const [name, service] of SERVICES) {
    t.match(service, { read_only: true, cap_drop: ['ALL'] }, name)
    t.strictSame(service.security_opt, ['no-new-privileges:true'], name)
  }
  // The image of Lineage names its own user.
  t.equal(services.postgres.user, 'postgres')
  t.equal(services.redis.user, 'redis')
})

test('only this machine reaches it, and the stores reach nothing', async (t) => {
  t.strictSame(services.lineage.ports, ['127.0.0.1:3000:3000'])
  t.strictSame(services.lineage.networks, ['public', 'stores'])
  t.strictSame(networks, { public: null, stores: { internal: true } })
  for (const store of [services.postgres, services.redis]) {
    t.strictSame(store.networks, ['stores'])
    t.equal(store.ports, undefined)
  }
  t.equal(services.secrets.network_mode, 'none')
})

test('each starts when what it needs is there, and again when it ends', async (t) => {
  const completed = { condition: 'service_completed_successfully' }
  const healthy = { condition: 'service_healthy' }
  t.strictSame(services.lineage.depends_on, {
    secrets: completed,
    postgres: healthy,
    redis: healthy,
  })
  t.strictSame(services.postgres.depends_on, { secrets: completed })
  t.strictSame(services.redis.depends_on, { secrets: completed })
  for (const [name, { restart }] of SERVICES) {
    t.equal(restart, name === 'secrets' ? 'no' : 'unless-stopped', name)
  }
})

test('each sees its own secrets only, and cannot change them', async (t) => {
  const made = mountsOf(services.secrets)
  for (const name of ['lineage', 'postgres', 'redis'] as const) {
    t.strictSame(made.get(`${name}-secrets`), { path: `/secrets/${name}`, readOnly: false })
    const mounts = mountsOf(services[name])
    t.strictSame(mounts.get(`${name}-secrets`), { path: '/run/lineage', readOnly: true })
    const foreign = [...mounts.keys()].filter((one) => /-secrets$/.test(one))
    t.strictSame(foreign, [`${name}-secrets`])
  }
  t.strictSame(services.secrets.command, ['node', '/generate-secrets.mjs', '/secrets'])
  t.ok(existsSync(join(ROOT, 'deploy/compose/generate-secrets.mjs')))
})

test('every volume that is mounted is declared, and every one declared is mounted', async (t) => {
  const mounted = SERVICES.flatMap(([, service]) => [...mountsOf(service).keys()])
  const named = mounted.filter((name) => !name.startsWith('./'))
  t.strictSame([...new Set(named)].sort(), Object.keys(volumes).sort())
  t.equal(mountsOf(services.postgres).get('postgres-data')?.path, '/var/lib/postgresql')
  t.equal(mountsOf(services.redis).get('redis-data')?.path, '/data')
})

test('nothing in it is secret, and nothing has to be filled in', async (t) => {
  for (const [name, { environment = {} }] of SERVICES) {
    for (const [variable, value] of Object.entries(environment)) {
      t.equal(typeof value, 'string', `${name}: ${variable} is quoted`)
      t.notMatch(value, /\$\{/, `${name}: ${variable}`)
      if (/PASSWORD|SECRET|_URL/.test(variable)) t.match(value, /^\/run\/lineage\//, variable)
    }
  }
})
