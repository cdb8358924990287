// What metrics cost (`npm run bench -- metrics`): Lineage beside the same build in which nothing is
// counted, in turns. Not part of the whole run.

import type { Scope } from '../test/support/scope.ts'
import { ROUNDS, SECONDS, WARM_UP_SHARE } from './options.ts'
import type { Participant } from './participant.ts'
import type { ScenarioName } from './scenarios.ts'
import { spreadOf } from './statistics.ts'
import { startLineage } from './subjects/lineage.ts'
import { listParticipants, type Participants } from './subjects/token-server.ts'
import type { Servers } from './support/servers.ts'

const WITHOUT_METRICS = new URL('./programs/without-metrics.mjs', import.meta.url).href
const SCENARIOS: readonly ScenarioName[] = ['refresh', 'client-credentials', 'verify']

export async function measureMetrics(scope: Scope, servers: Servers): Promise<void> {
  const start = async (nodeArguments: readonly string[]) => {
    const server = await startLineage(servers, {}, nodeArguments)
    scope.teardown(() => server.process.stop())
    // As in production, where process metrics are on from the first scrape.
    await fetch(`http://127.0.0.1:${server.port}/metrics`)
    return listParticipants(server)
  }
  const counting = await start([])
  const silent = await start([`--import=${WITHOUT_METRICS}`])
  await printRatios('metrics', counting, silent)
}

/** What it costs to have `what`, in turns with a server that has it not. */
export async function printRatios(
  what: string,
  having: Participants,
  without: Participants,
): Promise<void> {
  console.log(`\nCPU of the server with ${what}, as a multiple of that without\n`)
  console.log('| Scenario | median | quarters | CPU with, µs |')
  console.log('|---|---|---|---|')
  for (const name of SCENARIOS) {
    const [own, other] = [having[name], without[name]]
    if (own && other) console.log(rowOf(name, await compare(own, other)))
  }
}

interface Round {
  readonly ratio: number
  readonly cpuMicros: number
}

/** Whoever is measured first in a round is second in the next. */
async function compare(own: Participant, other: Participant): Promise<readonly Round[]> {
  const cpuOf = async (participant: Participant, seconds: number) =>
    (await participant.measure(seconds)).cpuMicros ?? Number.NaN
  for (const participant of [own, other]) await cpuOf(participant, SECONDS * WARM_UP_SHARE)
  const rounds: Round[] = []
  for (let round = 0; round < ROUNDS * 2; round += 1) {
    const isFirst = round % 2 === 0
    const before = isFirst ? await cpuOf(own, SECONDS) : undefined
    const without = await cpuOf(other, SECONDS)
    const cpuMicros = before ?? (await cpuOf(own, SECONDS))
    rounds.push({ ratio: cpuMicros / without, cpuMicros })
  }
  return rounds
}

function rowOf(name: string, rounds: readonly Round[]): string {
  const { median, low, high } = spreadOf(rounds.map(({ ratio }) => ratio))
  const cpu = spreadOf(rounds.map(({ cpuMicros }) => cpuMicros)).median
  return `| ${name} | ${median.toFixed(3)} | ${low.toFixed(3)}-${high.toFixed(3)} | ${cpu} |`
}
