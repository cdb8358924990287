// Whichever worker is asked, it tells the figures of all; those of a worker that has ended stay in the
// sums, and one that stands still holds nobody up for long.

import { test } from 'tap'
import { startWorkers, type Workers } from '../scenes/workers-scene.ts'
import { exchange, write } from '../support/hostile-wire.ts'
import { serverEnvironment } from '../support/lineage-process.ts'
import { openTestDatabase } from '../support/postgres.ts'
import { until } from '../support/until.ts'

const LIVEZ =
  'lineage_http_request_duration_seconds_count{route="/livez",method="GET",status_class="2xx"}'

/** The value of a series, as whichever worker comes next tells it. */
async function scrape({ service }: Workers, series: string): Promise<number> {
  const [answer] = await exchange(service.url, write('GET /metrics'))
  const line = answer?.body.split('\n').find((text) => text.startsWith(`${series} `))
  return Number(line?.slice(series.length + 1))
}

test('two workers count as one instance, also when one of them is replaced', async (t) => {
  const { url } = await openTestDatabase(t)
  const workers = await startWorkers(t, serverEnvironment(url))
  await workers.service.ready()
  const asked = new Set(await workers.answerers(20))
  t.equal(asked.size, 2, 'both have answered')
  // A worker counts a request after its last byte.
  const total = await until('all of them', async () => {
    const counted = await scrape(workers, LIVEZ)
    return counted === 20 && counted
  })
  for (let scrapes = 0; scrapes < 6; scrapes += 1) {
    t.equal(await scrape(workers, LIVEZ), total, 'whoever is asked')
  }
  t.equal(await scrape(workers, 'lineage_dependency_up{dependency="postgresql"}'), 1, 'no sum')
  await until('two times five connections that are idle', async () => {
    return (await scrape(workers, 'lineage_pool_connections{state="idle"}')) === 10
  })
  const startedBefore = await scrape(workers, 'process_start_time_seconds')

  await workers.replace(1)
  await until('the new one', async () => (await workers.answerers(10)).size === 2)
  const after = await scrape(workers, LIVEZ)
  t.ok(after >= total + 10, `${after}: nothing was forgotten`)
  t.ok((await scrape(workers, 'process_start_time_seconds')) >= startedBefore)

  // Connections may still go to the one that stands still, so several ask at once.
  const stopped = workers.pidOf(2)
  process.kill(stopped, 'SIGSTOP')
  const told = await Promise.any(Array.from({ length: 4 }, () => scrape(workers, LIVEZ)))
  process.kill(stopped, 'SIGCONT')
  t.ok(told >= after, 'what it told last counts')
})
