// What becomes of refreshes when three times as much is asked for as can be done (`npm run bench -- overload`).
// Not part of the whole run; it writes its figures into docs/reliability.md.

import { writeReliability } from '../test/support/reliability-page.ts'
import { runFacts } from '../test/support/run-facts.ts'
import type { Scope } from '../test/support/scope.ts'
import { readMember, refreshChain, repeat } from './load/chains.ts'
import { type Chain, runLoad } from './load/closed-loop.ts'
import { formRequest } from './load/http-connection.ts'
import { type Population, type PopulationResult, runPopulation } from './load/population.ts'
import { SECONDS } from './options.ts'
import { PASSWORD } from './programs/argon2-cost.ts'
import { toTable } from './report/markdown.ts'
import { quantile } from './statistics.ts'
import { startLineage } from './subjects/lineage.ts'
import { ask, type TokenServer } from './subjects/token-server.ts'
import type { Servers } from './support/servers.ts'

/** Callers of each class, every one with a connection of its own. */
const CALLERS = { refresh: 200, client_credentials: 300, login: 100 } as const
type Class = keyof typeof CALLERS

/**
 * What is asked for, in capacities of each class alone: together three. A capacity is that of a closed loop,
 * in which answers and requests come in batches; requests that come one by one cost more.
 */
const ALONE = 0.4
const SHARES: Readonly<Record<Class, number>> = {
  refresh: ALONE,
  client_credentials: 1.8,
  login: 0.8,
}
const SATURATING = 32
const LOGINS_AT_ONCE = 4
/** How many capacities of refreshes are asked for when there is nothing else. */
const REFRESHES_ONLY = 3

interface Phase {
  readonly name: string
  readonly result: PopulationResult
}

export async function measureOverload(scope: Scope, servers: Servers): Promise<void> {
  const server = await startLineage(servers)
  scope.teardown(() => server.process.stop())
  const chains = await openChains(server)
  const capacity = await measureCapacities(server, chains)
  const populationOf = (name: Class, share: number, patienceMs: number): Population => ({
    port: server.port,
    chains: chains[name],
    perSecond: capacity[name] * share,
    seconds: SECONDS * 10,
    patienceMs,
  })
  const flood = (name: Class, patienceMs: number) =>
    runPopulation(populationOf(name, SHARES[name], patienceMs))
  const alone = await flood('refresh', 1_000)
  await readLoopDelay(server)
  const [refresh, services, logins] = await Promise.all([
    flood('refresh', 1_000),
    flood('client_credentials', 0),
    flood('login', 0),
  ])
  const loopDelayMs = await readLoopDelay(server)
  const threefold = await runPopulation(populationOf('refresh', REFRESHES_ONLY, 0))
  const phases = [
    { name: `refreshes alone, ${ALONE} of their capacity`, result: alone },
    { name: `refreshes, with ${3 - ALONE} capacities of others`, result: refresh },
    { name: `… client_credentials beside them, ${SHARES.client_credentials}`, result: services },
    { name: `… logins beside them, ${SHARES.login}`, result: logins },
    { name: `refreshes alone, ${REFRESHES_ONLY} of their capacity`, result: threefold },
  ]
  report(phases, capacity, loopDelayMs)
}

async function openChains(server: TokenServer): Promise<Readonly<Record<Class, Chain[]>>> {
  // A hundred sessions of a user are kept: those who refresh must not lose theirs to the flood.
  const half = server.usernames.length / 2
  const login = (index: number, from = 0) => {
    const username = server.usernames[from + (index % half)] ?? ''
    const grant = { grant_type: 'password', ...server.app, username, password: PASSWORD }
    return formRequest('/token', grant)
  }
  const refreshes: Chain[] = []
  for (let index = 0; index < CALLERS.refresh; index += 1) {
    const token = readMember(await ask(server.port, login(index)), 'refresh_token')
    const fields = { grant_type: 'refresh_token', ...server.app }
    refreshes.push(refreshChain('/token', fields, token))
  }
  const grant = formRequest('/token', { grant_type: 'client_credentials', ...server.service })
  return {
    refresh: refreshes,
    client_credentials: Array.from({ length: CALLERS.client_credentials }, () => repeat(grant)),
    login: Array.from({ length: CALLERS.login }, (_, index) => repeat(login(index, half))),
  }
}

async function measureCapacities(
  { port }: TokenServer,
  chains: Readonly<Record<Class, Chain[]>>,
): Promise<Readonly<Record<Class, number>>> {
  const capacityOf = async (name: Class, connections: number) => {
    const load = { port, chains: chains[name].slice(0, connections) }
    await runLoad({ ...load, seconds: SECONDS })
    const { latenciesMs, seconds } = await runLoad({ ...load, seconds: SECONDS * 4 })
    return latenciesMs.length / seconds
  }
  return {
    refresh: await capacityOf('refresh', SATURATING),
    client_credentials: await capacityOf('client_credentials', SATURATING),
    login: await capacityOf('login', LOGINS_AT_ONCE),
  }
}

/** The p99 of the delay of the event loop since this was last asked; an idle process has 10 ms. */
async function readLoopDelay({ port }: TokenServer): Promise<number> {
  const text = await (await fetch(`http://127.0.0.1:${port}/metrics`)).text()
  const seconds = /^nodejs_eventloop_lag_p99_seconds (\S+)$/m.exec(text)?.[1]
  return Number(seconds) * 1000
}

function report(
  phases: readonly Phase[],
  capacity: Readonly<Record<Class, number>>,
  loopDelayMs: number,
): void {
  const rows = phases.map(({ name, result: { goodMs, seconds, statuses } }) => {
    const sorted = [...goodMs].sort((a, b) => a - b)
    const refused = [...statuses].filter(([status]) => status !== 200)
    return [
      name,
      (goodMs.length / seconds).toFixed(0),
      quantile(sorted, 0.5).toFixed(1),
      quantile(sorted, 0.99).toFixed(1),
      refused.map(([status, count]) => `${status}: ${count}`).join(', ') || '–',
    ]
  })
  const [alone, flooded] = phases.map(({ result }) => result)
  if (!alone || !flooded) throw new Error('nothing was measured')
  const goodput = perSecond(flooded) / perSecond(alone)
  const delay = p99(flooded) / p99(alone)
  const text = [
    `${runFacts()}, ${SECONDS * 10} s each.`,
    '',
    toTable(['What is asked for', 'answered 200, a second', 'p50, ms', 'p99, ms', 'refused'], rows),
    '',
    `Capacities, one after another: ${Object.entries(capacity)
      .map(([name, rate]) => `${name} ${rate.toFixed(0)}/s`)
      .join(', ')}. Beside the others refreshes keep ${(goodput * 100).toFixed(1)} % of their`,
    `goodput, and their p99 is ${delay.toFixed(2)} of what it is alone; the delay of the event loop has a p99 of`,
    `${loopDelayMs.toFixed(1)} ms then, of which 10 are how it is measured.`,
  ].join('\n')
  console.log(text)
  writeReliability('overload', text)
}

function perSecond({ goodMs, seconds }: PopulationResult): number {
  return goodMs.length / seconds
}

function p99({ goodMs }: PopulationResult): number {
  return quantile(
    [...goodMs].sort((a, b) => a - b),
    0.99,
  )
}
