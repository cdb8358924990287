// What a login of the owner costs while somebody attacks (`npm run bench -- owner`): from a source that
// the account knows, one login after another, alone and beside three floods. Not part of the whole run.

import type { Scope } from '../test/support/scope.ts'
import { type LoadResult, runLoad } from './load/closed-loop.ts'
import { formRequest } from './load/http-connection.ts'
import { SECONDS } from './options.ts'
import { PASSWORD } from './programs/argon2-cost.ts'
import { quantile } from './statistics.ts'
import { startLineage } from './subjects/lineage.ts'
import type { TokenServer } from './subjects/token-server.ts'
import type { Servers } from './support/servers.ts'

const HOME = '192.0.2.1'
const ATTACKERS = 16
/** Long enough for some hundred logins of the owner. */
const MEASURED_SECONDS = SECONDS * 10

/** The nth guess of the attack. */
type Guess = (n: number) => { readonly username: string; readonly ip: string }

const anywhere = (n: number) => `10.${(n >> 16) & 255}.${(n >> 8) & 255}.${n & 255}`

function listFloods(owner: string): Readonly<Record<string, Guess | undefined>> {
  return {
    alone: undefined,
    'many sources at the account': (n) => ({ username: owner, ip: anywhere(n) }),
    'one source at many accounts': (n) => ({ username: `user-${n}`, ip: '198.51.100.1' }),
    'many sources at many accounts': (n) => ({ username: `user-${n}`, ip: anywhere(n) }),
  }
}

export async function measureOwner(scope: Scope, servers: Servers): Promise<void> {
  const server = await startLineage(servers, { LINEAGE_TRUST_PROXY: 'loopback' })
  scope.teardown(() => server.process.stop())
  const [owner = ''] = server.usernames
  console.log('\nLogins of the owner, from a known source\n')
  console.log('| Beside it | p50, ms | p99, ms | logins | refused | guesses/s | of them 429 |')
  console.log('|---|---|---|---|---|---|---|')
  for (const [name, guess] of Object.entries(listFloods(owner))) {
    const [own, attack] = await measureBeside(server, owner, guess)
    console.log(rowOf(name, own, attack))
  }
}

async function measureBeside(
  server: TokenServer,
  owner: string,
  guess: Guess | undefined,
): Promise<readonly [LoadResult, LoadResult | undefined]> {
  const { port } = server
  let isOver = false
  let n = 0
  const attackers = Array.from({ length: guess ? ATTACKERS : 0 }, () => ({
    next() {
      n += 1
      const { username = '', ip } = guess?.(n) ?? {}
      return loginRequest(server, username, 'wrong', ip)
    },
  }))
  const refusals = new Set([400, 429, 503])
  const attack =
    guess && runLoad({ port, chains: attackers, statuses: refusals, isOver: () => isOver })
  const chains = [{ next: () => loginRequest(server, owner, PASSWORD, HOME) }]
  const statuses = new Set([200, 429, 503])
  // The first makes the source known, and the attack has begun when it is answered.
  await runLoad({ port, chains, seconds: Math.min(1, MEASURED_SECONDS), statuses })
  const own = await runLoad({ port, chains, seconds: MEASURED_SECONDS, statuses })
  isOver = true
  return [own, await attack]
}

function loginRequest(
  server: TokenServer,
  username: string,
  password: string,
  ip?: string,
): string {
  const login = { grant_type: 'password', username, password, ...server.app }
  return formRequest('/token', login, ip)
}

function rowOf(name: string, own: LoadResult, attack: LoadResult | undefined): string {
  const sorted = own.latenciesMs.toSorted((one, other) => one - other)
  const [p50, p99] = [quantile(sorted, 0.5), quantile(sorted, 0.99)]
  const total = sorted.length
  const refused = total - (own.statuses.get(200) ?? 0)
  const guesses = attack ? attack.latenciesMs.length / attack.seconds : 0
  const share = attack ? (attack.statuses.get(429) ?? 0) / attack.latenciesMs.length : 0
  const cells = [name, p50.toFixed(1), p99.toFixed(1), total, refused, Math.round(guesses)]
  return `| ${[...cells, `${Math.round(share * 100)} %`].join(' | ')} |`
}
