// Who takes part in a scenario: a process, the load that it is put under, and how one measurement of
// it is made.

import type { RedisProcess } from '../test/support/redis.ts'
import { type Chain, type LoadResult, runLoad } from './load/closed-loop.ts'
import { quantile } from './statistics.ts'
import type { MeasuredProcess } from './support/measured-process.ts'

/** Numbers by name; what each means stands in docs/performance.md. */
export type Measure = Readonly<Record<string, number>>

export interface Participant {
  readonly process: MeasuredProcess
  /** One measurement that lasts about so long. */
  measure(seconds: number): Promise<Measure>
  /** Prepares so many requests; the result sends them, one after another, to be counted. */
  prepare?(count: number): Promise<() => Promise<void>>
}

export interface HttpServer {
  readonly process: MeasuredProcess
  readonly port: number
  readonly redis: RedisProcess
}

/** Enough for the requests that are counted. */
const PREPARED_SECONDS = 0.1

/** `makeChains` is called before each measurement, outside of it. */
export function overHttp(
  { process, port, redis }: HttpServer,
  makeChains: (seconds: number) => Promise<readonly Chain[]> | readonly Chain[],
): Participant {
  return {
    process,
    async measure(seconds) {
      const chains = await makeChains(seconds)
      const from = { usage: await process.usage(), redisMicros: await redisCpuMicros(redis) }
      const result = await runLoad({ port, chains, seconds })
      const usage = await process.usage()
      const answers = result.latenciesMs.length
      return {
        ...describeLoad(result),
        cpuMicros: (usage.cpuMicros - from.usage.cpuMicros) / answers,
        redisCpuMicros: ((await redisCpuMicros(redis)) - from.redisMicros) / answers,
        rssMib: usage.rssBytes / 2 ** 20,
      }
    },
    async prepare(count) {
      const [chain] = await makeChains(PREPARED_SECONDS)
      if (!chain) throw new Error('no chain')
      return async () => {
        let sent = 0
        const next = () => (sent++ < count ? chain.next() : undefined)
        const result = await runLoad({ port, chains: [{ ...chain, next }] })
        if (result.latenciesMs.length !== count) throw new Error('the chain ended early')
      }
    },
  }
}

export function describeLoad({ latenciesMs, seconds }: LoadResult): Measure {
  const sorted = [...latenciesMs].sort((a, b) => a - b)
  if (sorted.length === 0) throw new Error('nothing was answered')
  return {
    perSecond: sorted.length / seconds,
    p50Ms: quantile(sorted, 0.5),
    p99Ms: quantile(sorted, 0.99),
  }
}

/** Of the thread that runs commands, since the server began. */
async function redisCpuMicros(redis: RedisProcess): Promise<number> {
  const info = String(await redis.cli('INFO', 'cpu'))
  const seconds = [...info.matchAll(/^used_cpu_(?:user|sys)_main_thread:(.*)\r$/gm)].map(
    ([, value]) => Number(value),
  )
  return seconds.reduce((sum, value) => sum + value, 0) * 1e6
}
