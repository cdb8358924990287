// LINEAGE_WORKERS: what a start that fails says, and how an instance ends otherwise than in order
// (docs/semantics.md §13).

import { once } from 'node:events'
import { type AddressInfo, createServer } from 'node:net'
import { type Test, test } from 'tap'
import { findFreePort } from '../../src/embedded/free-port.ts'
import { freshRequest, isAlive, startWorkers } from '../scenes/workers-scene.ts'
import { type Environment, serverEnvironment, spawnLineage } from '../support/lineage-process.ts'
import { openEmptyDatabase, openTestDatabase } from '../support/postgres.ts'
import { until } from '../support/until.ts'

async function environment(t: Test): Promise<Environment> {
  return serverEnvironment((await openTestDatabase(t)).url)
}

test('a second signal ends all of them at once', async (t) => {
  const env = { ...(await environment(t)), LINEAGE_SHUTDOWN_DELAY_SECONDS: '300' }
  const workers = await startWorkers(t, env)
  workers.service.signal('SIGTERM')
  await workers.service.logged('service.stopping')
  workers.service.signal('SIGTERM')
  t.strictSame(await workers.service.exited, { code: 1, signal: null })
  for (const number of [1, 2]) {
    await until('its end', () => !isAlive(workers.pidOf(number)))
  }
})

test('workers do not outlive the process that supervises', async (t) => {
  const opsPort = await findFreePort()
  const env = { ...(await environment(t)), HOST: 'localhost', LINEAGE_OPS_PORT: String(opsPort) }
  const service = await spawnLineage(t, { ...env, LINEAGE_WORKERS: '2' })
  await until('a start', () => service.log('service.started').length > 0)
  t.equal(await freshRequest(opsPort), 200, 'the operations port leads to them')
  t.equal(await freshRequest(service.port), 404, 'and the public one')
  t.equal(await freshRequest(service.port, '/.well-known/jwks.json'), 200)
  service.signal('SIGKILL')
  t.strictSame(await service.exited, { code: null, signal: 'SIGKILL' })
  for (const { pid } of service.log('worker.started')) {
    await until('its end', () => !isAlive(Number(pid)))
  }
})

test('a start that is refused says so once', async (t) => {
  const { url } = await openEmptyDatabase(t)
  const env = { ...serverEnvironment(url), LINEAGE_WORKERS: '3', LINEAGE_MIGRATE: 'check' }
  const service = await spawnLineage(t, env)
  t.strictSame(await service.exited, { code: 1, signal: null })
  t.equal(service.stderr.length, 1)
  t.match(service.stderr[0], /^lineage: the database lacks migrations: /)
})

test('a port that is taken ends the start of all workers', async (t) => {
  const other = createServer().listen(0, '127.0.0.1')
  await once(other, 'listening')
  t.teardown(() => other.close())
  const { port } = other.address() as AddressInfo
  const env = { ...(await environment(t)), LINEAGE_WORKERS: '2', PORT: String(port) }
  const service = await spawnLineage(t, env)
  t.strictSame(await service.exited, { code: 1, signal: null })
  t.strictSame(service.stderr, [
    `lineage: port ${port} on 127.0.0.1 is taken; set PORT to a free one`,
  ])
})

test('embedded mode is one process', async (t) => {
  const service = await spawnLineage(t, { LINEAGE_WORKERS: '2' })
  t.strictSame(await service.exited, { code: 1, signal: null })
  t.strictSame(service.stderr, [
    'lineage: The configuration is not valid:',
    '  LINEAGE_WORKERS must be 1 or auto in embedded mode, which is one process.',
  ])
})
