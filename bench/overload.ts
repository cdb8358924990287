// What becomes of refreshes when three times as much is asked for as can be done (`npm run bench -- overload`).
// Not part of the whole run; in full size it writes its figures into docs/reliability.md. Refreshes alone and
// beside the others are measured in turns, as a shared machine is not equally fast all day.

import { setPriority } from 'node:os'
import { writeReliability } from '../test/support/reliability-page.ts'
import type { Scope } from '../test/support/scope.ts'
import { readMember, refreshChain, repeat } from './load/chains.ts'
import { type Chain, runLoad } from './load/closed-loop.ts'
import { formRequest } from './load/http-connection.ts'
import { runPopulation } from './load/population.ts'
import { ROUNDS, SCALE, SECONDS } from './options.ts'
import { PASSWORD } from './programs/argon2-cost.ts'
import { describeOverload, type OverloadRound } from './report/overload-table.ts'
import { startLineage } from './subjects/lineage.ts'
import { ask, type TokenServer } from './subjects/token-server.ts'
import type { Servers } from './support/servers.ts'

/** Callers of each class, every one with a connection of its own. */
const CALLERS = { refresh: 200, client_credentials: 300, login: 100 } as const
type Class = keyof typeof CALLERS

/**
 * What is asked for, in capacities of each class alone: together three. A capacity is that of a closed loop,
 * in which answers and requests come in batches; requests that come one by one cost up to twice as much.
 */
const SHARES: Readonly<Record<Class, number>> = {
  refresh: 0.3,
  client_credentials: 1.9,
  login: 0.8,
}
const SATURATING = 32
const LOGINS_AT_ONCE = 4
/** How many capacities of refreshes are asked for when there is nothing else. */
const REFRESHES_ONLY = 3
/** Above that of the service: what waits to be measured must not wait for a core. Needs a privilege. */
const PRIORITY_OF_THE_LOAD = -10

export async function measureOverload(scope: Scope, servers: Servers): Promise<void> {
  const server = await startLineage(servers)
  scope.teardown(() => server.process.stop())
  const chains = await openChains(server)
  const hasPriority = takePriority()
  const capacity = await measureCapacities(server, chains)
  const flood = (name: Class, patienceMs: number, share = SHARES[name]) =>
    runPopulation({
      port: server.port,
      chains: chains[name],
      perSecond: capacity[name] * share,
      seconds: SECONDS * 8,
      settleSeconds: SECONDS * 2,
      patienceMs,
    })
  const rounds: OverloadRound[] = []
  for (let round = 0; round < ROUNDS; round += 1) {
    const alone = await flood('refresh', 1_000)
    await readLoopDelay(server)
    const [refresh, services, logins] = await Promise.all([
      flood('refresh', 1_000),
      flood('client_credentials', 0),
      flood('login', 0),
    ])
    rounds.push({ alone, refresh, services, logins, loopDelayMs: await readLoopDelay(server) })
  }
  const threefold = await flood('refresh', 0, REFRESHES_ONLY)
  const text = describeOverload({ rounds, threefold, capacity, shares: SHARES, hasPriority })
  console.log(text)
  if (SCALE === 1) writeReliability('overload', text)
}

function takePriority(): boolean {
  try {
    setPriority(PRIORITY_OF_THE_LOAD)
    return true
  } catch {
    return false
  }
}

async function openChains(server: TokenServer): Promise<Readonly<Record<Class, Chain[]>>> {
  // A hundred sessions of a user are kept: those who refresh must not lose theirs to the flood.
  const half = server.usernames.length / 2
  const login = (index: number, from = 0) => {
    const username = server.usernames[from + (index % half)] ?? ''
    const grant = { grant_type: 'password', ...server.app, username, password: PASSWORD }
    return formRequest('/token', grant)
  }
  const countOf = (name: Class) => Math.ceil(CALLERS[name] * SCALE)
  const refreshes: Chain[] = []
  for (let index = 0; index < countOf('refresh'); index += 1) {
    const token = readMember(await ask(server.port, login(index)), 'refresh_token')
    const fields = { grant_type: 'refresh_token', ...server.app }
    refreshes.push(refreshChain('/token', fields, token))
  }
  const grant = formRequest('/token', { grant_type: 'client_credentials', ...server.service })
  return {
    refresh: refreshes,
    client_credentials: Array.from({ length: countOf('client_credentials') }, () => repeat(grant)),
    login: Array.from({ length: countOf('login') }, (_, index) => repeat(login(index, half))),
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
