// LINEAGE_WORKERS: several processes are one instance, which starts once, stops in order and goes on
// when one of them dies (docs/semantics.md §13).

import { type Test, test } from 'tap'
import { findFreePort } from '../../src/embedded/free-port.ts'
import { freshRequest, isAlive, startWorkers } from '../scenes/workers-scene.ts'
import { logIn } from '../support/app.ts'
import { type Environment, serverEnvironment, spawnLineage } from '../support/lineage-process.ts'
import { openEmptyDatabase, openTestDatabase } from '../support/postgres.ts'
import { until } from '../support/until.ts'

async function environment(t: Test): Promise<Environment> {
  return serverEnvironment((await openTestDatabase(t)).url)
}

test('three workers on an empty database start once, and all of them serve', async (t) => {
  const env = serverEnvironment((await openEmptyDatabase(t)).url)
  const { service, answerers } = await startWorkers(t, env, 3)
  for (const event of ['service.started', 'database.migrated', 'key.published']) {
    t.equal(service.log(event).length, 1, event)
  }
  t.equal(service.log('service.started')[0]?.workers, 3)
  t.strictSame([...(await answerers(30))].sort(), [1, 2, 3])
  t.strictSame(
    service
      .log('worker.started')
      .map(({ worker }) => worker)
      .sort(),
    [1, 2, 3],
  )
  t.strictSame(service.stderr, [])
})

test('a killed worker is replaced, and no request fails from then on', async (t) => {
  const workers = await startWorkers(t, await environment(t))
  const { service } = workers
  const first = workers.pidOf(1)
  process.kill(first, 'SIGKILL')
  await service.logged('worker.ended')
  const ended = service.log('worker.ended')[0]
  t.match(ended, { level: 'error', worker: 1, pid: first, code: null, signal: 'SIGKILL' })
  t.strictSame([...(await workers.answerers(20))], [2], 'the other one serves alone')
  await until('the next one', () => workers.pidOf(1) !== first)
  t.strictSame([...(await workers.answerers(20))].sort(), [1, 2])
  for (const number of [2, 1]) await workers.replace(number)
  t.strictSame([...(await workers.answerers(20))].sort(), [1, 2])
  t.equal((await service.readiness()).body.status, 'ok')
})

test('with all workers gone, connections wait for the next ones', async (t) => {
  const workers = await startWorkers(t, await environment(t))
  for (const number of [1, 2]) process.kill(workers.pidOf(number), 'SIGKILL')
  await until('the end of both', () => workers.service.log('worker.ended').length === 2)
  const statuses = await Promise.all(
    Array.from({ length: 8 }, () => freshRequest(workers.service.port)),
  )
  t.strictSame(new Set(statuses), new Set([200]))
})

test('SIGTERM under load ends with 0, and every request that was sent is answered', async (t) => {
  const workers = await startWorkers(t, await environment(t))
  const { service } = workers
  const client = await service.makeClient({})
  const user = await service.makeUser()
  let answered = 0
  const failures: string[] = []
  const chain = async () => {
    for (;;) {
      try {
        await logIn(service, client, user)
        answered += 1
      } catch (error) {
        const cause = error instanceof Error && (error.cause as { code?: string } | undefined)
        // Refused before anything was sent is what a closed listener is for.
        if (cause && cause.code === 'ECONNREFUSED') return
        failures.push(String(cause ? cause.code : error))
        return
      }
    }
  }
  const chains = Promise.all(Array.from({ length: 16 }, chain))
  await until('some answers', () => answered > 50)
  service.signal('SIGTERM')
  t.strictSame(await service.exited, { code: 0, signal: null })
  await chains
  t.strictSame(failures, [])
  t.equal(service.log('service.stopping').length, 1)
  t.equal(service.log('service.stopped').length, 1)
  t.equal(service.log('worker.ended').length, 0)
  for (const number of [1, 2]) t.notOk(isAlive(workers.pidOf(number)))
})

test('Ctrl-C reaches the workers as well, and they leave it to the one that supervises', async (t) => {
  const env = { ...(await environment(t)), LINEAGE_SHUTDOWN_DELAY_SECONDS: '2' }
  const workers = await startWorkers(t, env)
  for (const number of [1, 2]) process.kill(workers.pidOf(number), 'SIGINT')
  workers.service.signal('SIGINT')
  await workers.service.logged('service.stopping')
  const states = await Promise.all(
    Array.from({ length: 6 }, () => freshRequest(workers.service.port, '/readyz')),
  )
  t.strictSame(new Set(states), new Set([503]), 'all of them drain')
  t.equal(await freshRequest(workers.service.port), 200, 'and serve for the whole delay')
  t.strictSame(await workers.service.exited, { code: 0, signal: null })
})

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
  const workers = await startWorkers(t, await environment(t))
  workers.service.signal('SIGKILL')
  t.strictSame(await workers.service.exited, { code: null, signal: 'SIGKILL' })
  for (const number of [1, 2]) {
    await until('its end', () => !isAlive(workers.pidOf(number)))
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
  const holder = await startWorkers(t, await environment(t))
  const { port } = holder.service
  const env = { ...(await environment(t)), LINEAGE_WORKERS: '2', PORT: String(port) }
  const service = await spawnLineage(t, env)
  t.strictSame(await service.exited, { code: 1, signal: null })
  t.strictSame(service.stderr, [
    `lineage: port ${port} on 127.0.0.1 is taken; set PORT to a free one`,
  ])
})

test('the operations port and every address of HOST lead to the workers', async (t) => {
  const opsPort = await findFreePort()
  const env = { ...(await environment(t)), HOST: 'localhost', LINEAGE_OPS_PORT: String(opsPort) }
  const service = await spawnLineage(t, { ...env, LINEAGE_WORKERS: '2' })
  await service.logged('service.started')
  t.equal(await freshRequest(opsPort), 200)
  t.equal(await freshRequest(service.port), 404)
  t.equal(await freshRequest(service.port, '/.well-known/jwks.json'), 200)
})

test('embedded mode is one process', async (t) => {
  const service = await spawnLineage(t, { LINEAGE_WORKERS: '2' })
  t.strictSame(await service.exited, { code: 1, signal: null })
  t.strictSame(service.stderr, [
    'lineage: The configuration is not valid:',
    '  LINEAGE_WORKERS must be 1 or auto in embedded mode, which is one process.',
  ])
})
