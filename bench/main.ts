// `npm run bench`: Lineage in production mode beside the floors and beside two services of others,
// as docs/performance.md explains. Words choose scenarios; `scale` and words choose questions of
// bench/scale/. Only a run of everything is written to bench/results.json.

import { rmSync } from 'node:fs'
import { dirname } from 'node:path'
import { openScope, type Scope } from '../test/support/scope.ts'
import { measureAllCores } from './all-cores.ts'
import { type Calls, countCalls } from './count-calls.ts'
import { describeMachine } from './machine.ts'
import { measureMetrics } from './metrics-cost.ts'
import { CONNECTIONS, ROUNDS, SECONDS, WARM_UP_SHARE } from './options.ts'
import { measureOverload } from './overload.ts'
import { measureOwner } from './owner-login.ts'
import type { Participant } from './participant.ts'
import { printAllCores, printMachine, printScenario, printStart } from './report/print.ts'
import { writeDocs } from './report/write-docs.ts'
import { keepResults, type ScenarioResult, type Spreads } from './results.ts'
import { LINEAGE, type Rounds, runRound, spreadsOf, summarize } from './run-scenarios.ts'
import { runScale } from './scale/run-scale.ts'
import { type ScenarioName, selectScenarios } from './scenarios.ts'
import { lineageStart, type MeasureStart, peerStart } from './start-time.ts'
import { startFloors } from './subjects/floors.ts'
import { startLineage } from './subjects/lineage.ts'
import { PEERS, startPeer } from './subjects/peers.ts'
import { listParticipants, type TokenServer } from './subjects/token-server.ts'
import { buildPrograms } from './support/build-programs.ts'
import { type Servers, startServers } from './support/servers.ts'
import { measureTracing } from './tracing-cost.ts'

type Subjects = ReadonlyMap<string, Partial<Record<ScenarioName, Participant>>>
type Scripts = Awaited<ReturnType<typeof buildPrograms>>

/** What is measured besides the scenarios. */
const PARTS = ['workers', 'start', 'owner', 'metrics', 'tracing', 'overload']

async function main(words: readonly string[]): Promise<void> {
  if (words[0] === 'docs') writeDocs()
  else if (words[0] === 'scale') await runScale(words.slice(1))
  else await withScope((scope) => runBench(scope, words))
}

async function runBench(scope: Scope, words: readonly string[]): Promise<void> {
  const isWhole = words.length === 0
  const chosen = words.filter((word) => !PARTS.includes(word))
  const names = isWhole || chosen.length > 0 ? selectScenarios(chosen) : []
  const isAsked = (part: string) => isWhole || words.includes(part)
  const servers = await startServers(scope)
  const scripts = await buildPrograms()
  scope.teardown(() => rmSync(dirname(scripts('floor')), { recursive: true, force: true }))
  const machine = await describeMachine(servers)
  printMachine(machine)
  // First, while the database holds nothing but its tables.
  const start = isAsked('start') ? await measureStarts(servers, scripts) : {}
  const scenarios = await withScope((inner) => runScenarios(inner, scripts, servers, names))
  const allCores = isAsked('workers')
    ? await withScope((inner) => measureAllCores(inner, servers))
    : {}
  if (words.includes('owner')) await withScope((inner) => measureOwner(inner, servers))
  if (words.includes('metrics')) await withScope((inner) => measureMetrics(inner, servers))
  if (words.includes('overload')) await withScope((inner) => measureOverload(inner, servers))
  if (words.includes('tracing')) await withScope((inner) => measureTracing(inner, servers))
  printAllCores(allCores)
  printStart(start)
  const settings = { rounds: ROUNDS, seconds: SECONDS, connections: CONNECTIONS }
  if (!isWhole) return
  keepResults({ machine, settings, scenarios, allCores, start })
  writeDocs()
}

type Scenarios = { readonly [name in ScenarioName]?: ScenarioResult }

async function runScenarios(
  scope: Scope,
  scripts: Scripts,
  servers: Servers,
  names: readonly ScenarioName[],
): Promise<Scenarios> {
  if (names.length === 0) return {}
  const subjects = await startSubjects(scope, scripts, servers)
  const rounds = await measureAll(subjects, names)
  const calls = await countAll(subjects, names, servers)
  const scenarios: { [name in ScenarioName]?: ScenarioResult } = {}
  for (const name of names) {
    scenarios[name] = summarize(rounds.get(name) ?? new Map(), calls.get(name) ?? new Map())
    printScenario(name, scenarios[name])
  }
  return scenarios
}

/** What `work` has started has stopped when this resolves, so that it is not in the way of others. */
async function withScope<T>(work: (scope: Scope) => Promise<T>): Promise<T> {
  const scope = openScope()
  try {
    return await work(scope)
  } finally {
    await scope.close()
  }
}

async function startSubjects(scope: Scope, scripts: Scripts, servers: Servers): Promise<Subjects> {
  const floors = await startFloors(scripts, servers)
  for (const process of floors.processes) scope.teardown(() => process.stop())
  const subjects = new Map([
    ['floor', floors.participants],
    ['signature', floors.signature],
  ])
  const start = async (name: string, starting: Promise<TokenServer>) => {
    const server = await starting
    scope.teardown(() => server.process.stop())
    subjects.set(name, listParticipants(server))
  }
  await start(LINEAGE, startLineage(servers))
  for (const name of PEERS) await start(name, startPeer(name, scripts(name), servers))
  return subjects
}

function participantsIn(subjects: Subjects, name: ScenarioName): Map<string, Participant> {
  const entries = [...subjects].map(([subject, scenarios]) => [subject, scenarios[name]] as const)
  return new Map(entries.filter((entry): entry is [string, Participant] => entry[1] !== undefined))
}

async function measureAll(
  subjects: Subjects,
  names: readonly ScenarioName[],
): Promise<Map<ScenarioName, Rounds>> {
  const all = new Map<ScenarioName, Rounds>(names.map((name) => [name, new Map()]))
  for (const name of names) {
    await runRound(participantsIn(subjects, name), SECONDS * WARM_UP_SHARE, 0, new Map())
  }
  for (let round = 0; round < ROUNDS; round += 1) {
    for (const [name, rounds] of all) {
      await runRound(participantsIn(subjects, name), SECONDS, round, rounds)
    }
  }
  return all
}

async function countAll(
  subjects: Subjects,
  names: readonly ScenarioName[],
  servers: Servers,
): Promise<Map<ScenarioName, Map<string, Calls>>> {
  const all = new Map(names.map((name) => [name, new Map<string, Calls>()]))
  for (const [subject, scenarios] of subjects) {
    const entries = names.map((name) => [name, scenarios[name]] as const)
    const participants = new Map(
      entries.filter((entry): entry is [ScenarioName, Participant] => entry[1] !== undefined),
    )
    const counted = await countCalls(participants, servers, subject === LINEAGE)
    for (const [name, calls] of counted) all.get(name)?.set(subject, calls)
  }
  return all
}

async function measureStarts(servers: Servers, scripts: Scripts): Promise<Record<string, Spreads>> {
  const starts = new Map<string, { measure: MeasureStart }>([
    [LINEAGE, { measure: lineageStart(servers) }],
  ])
  for (const name of PEERS) starts.set(name, { measure: peerStart(scripts(name), servers) })
  const rounds: Rounds = new Map()
  for (let round = 0; round < ROUNDS; round += 1) await runRound(starts, SECONDS, round, rounds)
  return Object.fromEntries([...rounds].map(([name, measures]) => [name, spreadsOf(measures)]))
}

await main(process.argv.slice(2))
process.exit(0)
