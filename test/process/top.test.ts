// `lineage top` at an instance of several workers with Redis: every metric that it reads is there, and
// what the traffic does is what it shows.

import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'tap'
import type { TopFigures } from '../../src/cli/top/top-document.ts'
import { startTraffic } from '../scenes/traffic-scene.ts'
import { startWorkers } from '../scenes/workers-scene.ts'
import { runHere, runJson } from '../support/command-line.ts'
import { serverEnvironment } from '../support/lineage-process.ts'
import { openEmptyDatabase } from '../support/postgres.ts'
import { openTestRedis } from '../support/redis.ts'

const FIGURES = join(import.meta.dirname, '../../src/cli/top/top-figures.ts')

test('two workers and Redis are one instance, with all figures', async (t) => {
  const redis = await openTestRedis(t)
  const env = serverEnvironment((await openEmptyDatabase(t)).url, redis.url)
  const { service } = await startWorkers(t, env)
  const traffic = await startTraffic(service)
  t.teardown(() => traffic.stop())
  const own = { ...env, PORT: String(service.port) }

  const figures = await runJson<TopFigures>(t, own, ['top', '--interval', '2'])
  const rateOf = (name: string) =>
    figures.refreshes.find((one) => one.name === name)?.perSecond ?? 0
  t.ok(rateOf('rotated') > 0)
  t.ok((figures.logins.find(({ name }) => name === 'ok')?.perSecond ?? 0) > 0)
  t.equal(figures.falseLogoutRate, 0)
  t.match(
    figures.routes.find(({ route }) => route === '/token'),
    { method: 'POST', statusClasses: [{ name: '2xx' }] },
  )
  t.strictSame(figures.dependencies.map(({ name }) => name).sort(), ['postgresql', 'redis'])
  for (const dependency of figures.dependencies) {
    t.equal(dependency.isUp, true, dependency.name)
    t.ok((dependency.p99Seconds ?? 0) > 0, dependency.name)
  }
  t.equal(figures.keys.filter(({ state }) => state === 'active').length, 1)
  t.ok((figures.process.cpuShare ?? 0) > 0)
  t.ok((figures.process.memoryBytes ?? 0) > 0)
  t.ok((figures.process.upSeconds ?? -1) >= 0)
  t.match(figures, {
    families: 'redis',
    pool: { busy: Number, idle: Number },
    events: { waiting: Number },
  })

  const { stdout } = await runHere(own, ['top', '--once', '--interval', '1'])
  t.match(stdout, /^refreshes +rotated [\d.]+\/s/m)

  const metrics = await (await service.fetch('/metrics')).text()
  const names = [...readFileSync(FIGURES, 'utf8').matchAll(/'((?:lineage|process|nodejs)_\w+)'/g)]
  t.ok(names.length > 15)
  for (const [, name = ''] of names) t.match(metrics, new RegExp(`^# TYPE ${name} `, 'm'), name)
})
