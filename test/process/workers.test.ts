// LINEAGE_WORKERS: several processes are one instance, which starts once, goes on when one of them
// dies and stops in order (docs/semantics.md §13).

import { test } from 'tap'
import { holdLogin, isRefused } from '../scenes/held-login.ts'
import { freshRequest, isAlive, startWorkers } from '../scenes/workers-scene.ts'
import { serverEnvironment } from '../support/lineage-process.ts'
import { openEmptyDatabase } from '../support/postgres.ts'
import { until } from '../support/until.ts'

const NUMBERS = [1, 2, 3]

test('three workers are one instance', async (t) => {
  const env = serverEnvironment((await openEmptyDatabase(t)).url)
  const workers = await startWorkers(t, { ...env, LINEAGE_SHUTDOWN_DELAY_SECONDS: '1' }, 3)
  const { service } = workers

  await t.test('which starts once', async (t) => {
    for (const event of ['service.started', 'database.migrated', 'key.published']) {
      t.equal(service.log(event).length, 1, event)
    }
    t.equal(service.log('service.started')[0]?.workers, 3)
    t.strictSame(service.stderr, [])
    t.strictSame([...(await workers.answerers(24))].sort(), NUMBERS, 'all of them serve')
  })

  await t.test('in which a killed worker is replaced, and no request fails', async (t) => {
    const first = workers.pidOf(1)
    process.kill(first, 'SIGKILL')
    const ended = await service.logged('worker.ended')
    t.match(ended, { level: 'error', worker: 1, pid: first, code: null, signal: 'SIGKILL' })
    t.ok((await workers.answerers(10)).size >= 2, 'the others go on')
    await until('the next one', () => workers.pidOf(1) !== first)
    t.strictSame([...(await workers.answerers(24))].sort(), NUMBERS)
    t.equal((await service.readiness()).body.status, 'ok')
  })

  await t.test('in which connections wait when all workers have died', async (t) => {
    const pids = NUMBERS.map((number) => workers.pidOf(number))
    for (const pid of pids) process.kill(pid, 'SIGKILL')
    await until('the end of all', () => pids.every((pid) => !isAlive(pid)))
    const statuses = await Promise.all(Array.from({ length: 8 }, () => freshRequest(service.port)))
    t.strictSame(new Set(statuses), new Set([200]))
    await until('all of them', () => NUMBERS.every((n) => !pids.includes(workers.pidOf(n))))
  })

  await t.test('and which ends with 0 when every request under way is answered', async (t) => {
    // A worker that is new loads much at its first login, for which it may ask to try again.
    const hold = () =>
      until('a login', () => holdLogin(t, service).catch(() => false as const), 60_000)
    const held = await Promise.all(Array.from({ length: 6 }, hold))
    // Ctrl-C in a terminal reaches every process of the group.
    for (const number of NUMBERS) process.kill(workers.pidOf(number), 'SIGINT')
    service.signal('SIGINT')
    await service.logged('service.stopping')
    const states = Array.from({ length: 6 }, () => freshRequest(service.port, '/readyz'))
    t.strictSame(new Set(await Promise.all(states)), new Set([503]), 'all of them drain')
    await until('a closed listener', () => isRefused(service.port))
    for (const answer of await Promise.all(held.map((one) => one.finish()))) {
      t.match(answer, /\r\n\r\nHTTP\/1\.1 200 .*"refresh_token":"lrt_/s)
    }
    t.strictSame(await service.exited, { code: 0, signal: null })
    for (const event of ['service.stopping', 'service.stopped']) {
      t.equal(service.log(event).length, 1, event)
    }
    t.equal(service.log('worker.ended').length, 4, 'the killed ones')
    for (const number of NUMBERS) t.notOk(isAlive(workers.pidOf(number)))
  })
})
