// `npm run soak -- --seconds 600`: mixed load on the built service, its memory as a plot, and what of it
// grows. Ends with 1 where an answer was wrong.

import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { parseArgs } from 'node:util'
import { startLineage } from '../../bench/subjects/lineage.ts'
import { type Gauges, readGauges } from '../support/gauges.ts'
import { startPostgres } from '../support/postgres.ts'
import { startRedis } from '../support/redis.ts'
import { writeReliability } from '../support/reliability-page.ts'
import { ROOT } from '../support/repository-text.ts'
import { runFacts } from '../support/run-facts.ts'
import { openScope } from '../support/scope.ts'
import { fitLine, type Line, type Point } from './linear-fit.ts'
import { plotMemory } from './plot-memory.ts'
import { startSoakLoad } from './soak-load.ts'

const SAMPLE_MS = 1_000
/** What is measured before is not fitted: code is compiled, and pools and caches fill. */
const FITTED_SHARE = 0.5
const MIB = 2 ** 20

const { values } = parseArgs({ options: { seconds: { type: 'string', default: '600' } } })
const seconds = Number(values.seconds)
if (!(seconds >= 10)) {
  console.error('--seconds N, of 10 or more')
  process.exit(2)
}
const scope = openScope()
try {
  await soak()
} catch (error) {
  console.error(error)
  process.exitCode = 1
} finally {
  await scope.close()
}
process.exit()

async function soak(): Promise<void> {
  const [postgres, redis] = [await startPostgres(scope), await startRedis(scope)]
  const servers = { redis, databaseUrl: postgres.url, statements: [], postgresVersion: '' }
  const server = await startLineage(servers)
  scope.teardown(() => server.process.stop())
  const load = startSoakLoad(server)
  const samples: (Gauges & { atSeconds: number })[] = []
  const startedAt = performance.now()
  const sinceStart = () => (performance.now() - startedAt) / 1000
  while (sinceStart() < seconds) {
    const gauges = await readGauges(server.port)
    samples.push({ ...gauges, atSeconds: sinceStart() })
    await delay(SAMPLE_MS)
  }
  await load.stop()
  const fitFrom = seconds * FITTED_SHARE
  const rss = samples.map(({ atSeconds, rssBytes }) => ({ x: atSeconds, y: rssBytes / MIB }))
  const heap = samples.map(({ atSeconds, heapBytes }) => ({ x: atSeconds, y: heapBytes / MIB }))
  const [rssLine, heapLine] = [fitAfter(rss, fitFrom), fitAfter(heap, fitFrom)]
  const plot = plotMemory(
    'Memory under mixed load, in MiB',
    [
      { label: 'resident', className: 'rss', points: rss, line: rssLine },
      { label: 'used of the heap', className: 'heap', points: heap, line: heapLine },
    ],
    fitFrom,
  )
  writeFileSync(join(ROOT, 'docs/images/soak.svg'), plot)
  const standstillMs = Math.max(...samples.slice(1).map((one) => one.standstillMs))
  const page = [
    `${runFacts()}. ${seconds} seconds of mixed load on one process of the built service:`,
    '',
    '| What | Times |',
    '|---|---|',
    ...[...load.counts].map(([name, count]) => `| ${name} | ${count} |`),
    '',
    `Every other answer was the right one. Resident memory was ${Math.round(rss.at(-1)?.y ?? 0)} MiB at the end and`,
    `${Math.round(Math.max(...rss.map(({ y }) => y)))} MiB at most. A straight line through the second half rises by`,
    `${perHour(rssLine)} MiB an hour for the resident memory, ${perHour(heapLine)} MiB for the heap in use (with the`,
    `standard error). The event loop stood still for ${Math.round(standstillMs)} ms at most.`,
    '',
    '![Memory over the run](images/soak.svg)',
  ].join('\n')
  console.log(page)
  writeReliability('soak', page)
}

function fitAfter(points: readonly Point[], from: number): Line {
  return fitLine(points.filter(({ x }) => x >= from))
}

function perHour({ slope, slopeError }: Line): string {
  return `${Math.round(slope * 3_600)} ± ${Math.round(slopeError * 3_600)}`
}
