// One process beside one for each core (LINEAGE_WORKERS=auto): how many requests each of them answers.
// The load, Redis and PostgreSQL run on the same cores, so the ratio is the least that more cores give.

import type { Scope } from '../test/support/scope.ts'
import { ROUNDS, SECONDS, WARM_UP_SHARE } from './options.ts'
import { type Rounds, runRound } from './run-scenarios.ts'
import type { ScenarioName } from './scenarios.ts'
import { type Spread, spreadOf } from './statistics.ts'
import { startLineage } from './subjects/lineage.ts'
import { listParticipants } from './subjects/token-server.ts'
import type { Servers } from './support/servers.ts'

/** Requests a second. */
export interface AllCores {
  readonly one: Spread
  readonly all: Spread
  /** Taken in each round, of `all` to `one`. */
  readonly ratio: Spread
}

export type AllCoresResults = Readonly<Partial<Record<ScenarioName, AllCores>>>

const ASKED = ['refresh', 'client-credentials', 'introspect-once', 'login'] as const

export async function measureAllCores(scope: Scope, servers: Servers): Promise<AllCoresResults> {
  const [one, all] = [
    await startLineage(servers),
    await startLineage(servers, { LINEAGE_WORKERS: 'auto' }),
  ]
  for (const { process } of [one, all]) scope.teardown(() => process.stop())
  const subjects = { one: listParticipants(one), all: listParticipants(all) }
  const results: { [name in ScenarioName]?: AllCores } = {}
  for (const name of ASKED) {
    const participants = new Map(
      Object.entries(subjects).flatMap(([subject, { [name]: participant }]) =>
        participant ? [[subject, participant] as const] : [],
      ),
    )
    await runRound(participants, SECONDS * WARM_UP_SHARE, 0, new Map())
    const rounds: Rounds = new Map()
    for (let round = 0; round < ROUNDS; round += 1) {
      await runRound(participants, SECONDS, round, rounds)
    }
    results[name] = compare(rounds)
  }
  return results
}

function compare(rounds: Rounds): AllCores {
  const perSecond = (subject: string) =>
    (rounds.get(subject) ?? []).map((measure) => measure.perSecond ?? Number.NaN)
  const [one, all] = [perSecond('one'), perSecond('all')]
  const ratio = spreadOf(all.map((value, round) => value / (one[round] ?? Number.NaN)))
  return { one: spreadOf(one), all: spreadOf(all), ratio }
}
