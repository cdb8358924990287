// `npm run hostile`: the built service under each attack, while honest clients refresh, and what both were
// like in docs/reliability.md. Ends with 1 where somebody honest was not served.

import { setTimeout as delay } from 'node:timers/promises'
import { parseArgs } from 'node:util'
import { quantile } from '../../bench/statistics.ts'
import { writeReliability } from '../support/reliability-page.ts'
import { runFacts } from '../support/run-facts.ts'
import { openScope } from '../support/scope.ts'
import { ATTACKS, type Attack } from './attacks.ts'
import { type HostileScene, openHostileScene, startRefreshing } from './hostile-scene.ts'

const ALONE_MS = 5_000
const LOOK_MS = 500
const HEADER = [
  '| Attack | What came of it | Refreshes beside it | p50 | p99 | slowest | most memory | event loop stood still |',
  '|---|---|---|---|---|---|---|---|',
]

const { values } = parseArgs({
  options: {
    /** Those whose names have the word, and no page is written. */
    attack: { type: 'string' },
  },
})
const names = Object.keys(ATTACKS).filter((name) => name.includes(values.attack ?? ''))
const alone: Attack = {
  hasOthers: true,
  async run() {
    await delay(ALONE_MS)
    return 'none'
  },
}
const lines: string[] = []
let failed = 0
const scope = openScope()
try {
  const scene = await openHostileScene(scope)
  for (const [name, attack] of [
    ['none', alone] as const,
    ...names.map((name) => [name, ATTACKS[name] ?? alone] as const),
  ]) {
    const line = await suffer(scene, name, attack).catch((error: Error) => {
      failed += 1
      return `| **${name}** | **${error.message.slice(0, 300)}** | | | | | | |`
    })
    lines.push(line)
    console.log(line)
  }
} finally {
  await scope.close()
}
const page = [
  `${runFacts()}. One process of the built service; eight clients refresh as fast as they are answered,`,
  'and each of these answers is a 200.',
  '',
  ...HEADER,
  ...lines,
].join('\n')
if (values.attack === undefined) writeReliability('hostile', page)
process.exit(failed === 0 ? 0 : 1)

async function suffer(scene: HostileScene, name: string, attack: Attack): Promise<string> {
  const own = openScope()
  const others = attack.hasOthers ? await startRefreshing(scene) : undefined
  const worst = { rssBytes: 0, standstillMs: 0 }
  // Over a connection of its own each time, as everybody comes who is new; and a look at the metrics asks
  // the stores, too, so that there is none while their calls are counted.
  const look = async () => {
    const { rssBytes, standstillMs } = attack.hasOthers
      ? await scene.gauges()
      : { ...(await scene.server.process.usage()), standstillMs: 0 }
    worst.rssBytes = Math.max(worst.rssBytes, rssBytes)
    worst.standstillMs = Math.max(worst.standstillMs, standstillMs)
  }
  await scene.gauges()
  let unseen = 0
  const looking = setInterval(() => {
    look().catch(() => {
      unseen += 1
    })
  }, LOOK_MS)
  try {
    const outcome = await attack.run(scene, own)
    clearInterval(looking)
    const last = await scene.gauges()
    worst.standstillMs = Math.max(worst.standstillMs, last.standstillMs)
    if (unseen > 0) throw new Error(`${unseen} new connections were not served`)
    const memory = `${Math.round(worst.rssBytes / 2 ** 20)} MiB`
    const stoodStill = `${Math.round(worst.standstillMs)} ms`
    return `| ${[name, outcome, ...(await describeOthers(others)), memory, stoodStill].join(' | ')} |`
  } finally {
    clearInterval(looking)
    await own.close()
  }
}

async function describeOthers(
  others: Awaited<ReturnType<typeof startRefreshing>> | undefined,
): Promise<string[]> {
  if (!others) return ['none', '', '', '']
  const { latenciesMs } = await others.stop()
  const sorted = [...latenciesMs].sort((a, b) => a - b)
  const ms = (share: number) => `${quantile(sorted, share).toFixed(1)} ms`
  return [`${sorted.length}`, ms(0.5), ms(0.99), ms(1)]
}
