// The tables of docs/performance.md.

import type { Results, ScenarioResult } from '../results.ts'
import { SCENARIO_NAMES, SCENARIOS, type ScenarioName } from '../scenarios.ts'
import { type Blocks, middle, spreadText, toTable } from './markdown.ts'
import { toText } from './print.ts'

/** The highest ratio of server CPU to the floor that is aimed at. */
const AIMS: Partial<Record<ScenarioName, number>> = {
  refresh: 1.4,
  'client-credentials': 1.15,
  introspect: 0.8,
  verify: 0.8,
  jwks: 1.2,
  metadata: 1.2,
}
const PEERS = ['oidc-provider', 'node-oauth']

export function performanceBlocks(results: Results): Blocks {
  return {
    machine: machineText(results),
    floors: floorTable(results),
    requests: requestTable(results),
    peers: peerTable(results),
    flood: floodTable(results),
    workers: workersTable(results),
    start: startTable(results),
    scale: scaleTables(results),
  }
}

function listScenarios({ scenarios }: Results): [ScenarioName, ScenarioResult][] {
  return SCENARIO_NAMES.flatMap((name) => {
    const result = scenarios[name]
    return result && name !== 'flood' ? [[name, result] as [ScenarioName, ScenarioResult]] : []
  })
}

function machineText({ machine, settings }: Results): string {
  const { cpu, cores, memoryGib, system, node, redis, postgres, packages, measuredAt } = machine
  const { rounds, seconds, connections } = settings
  const versions = Object.entries(packages).map(([name, version]) => `${name} ${version}`)
  return [
    `Measured on ${measuredAt}: ${cpu}, ${cores} cores, ${memoryGib} GiB, ${system}; Node ${node},`,
    `Redis ${redis}, PostgreSQL ${postgres}, all on this one machine; ${connections} connections;`,
    `medians of ${rounds} rounds of ${seconds} s, quartiles in parentheses.`,
    `${versions.join(', ')}.`,
  ].join('\n')
}

function floorTable(results: Results): string {
  const rows = listScenarios(results)
    .filter(([name]) => name !== 'login')
    .map(([name, { measures, ratios }]) => [
      SCENARIOS[name],
      middle(measures.floor?.cpuMicros),
      middle(measures.lineage?.cpuMicros),
      spreadText(ratios.floor?.cpuMicros),
      toAim(AIMS[name]),
    ])
  const { measures, ratios } = results.scenarios['client-credentials'] ?? {}
  const signature = [
    'client_credentials to the signature alone',
    middle(measures?.signature?.cpuMicros),
    middle(measures?.lineage?.cpuMicros),
    spreadText(ratios?.signature?.cpuMicros),
    '–',
  ]
  const head = ['Server CPU a request', 'the floor, µs', 'Lineage, µs', 'to the floor', 'aim']
  const logins = results.scenarios.login
  const share = spreadText(logins?.ratios.floor?.perSecond)
  return [
    toTable(head, [...rows, signature]),
    '',
    `Logins: ${middle(logins?.measures.lineage?.perSecond)} a second, ` +
      `${share} of bare argon2 with as many lanes; aim ≥ 0.95.`,
  ].join('\n')
}

const toAim = (aim: number | undefined) => (aim === undefined ? '–' : `≤ ${aim}`)

function requestTable(results: Results): string {
  const rows = listScenarios(results).map(([name, { measures, calls }]) => {
    const { perSecond, p50Ms, p99Ms, redisCpuMicros, rssMib } = measures.lineage ?? {}
    const called = calls.lineage
    return [
      SCENARIOS[name],
      ...[perSecond, p50Ms, p99Ms, redisCpuMicros, rssMib].map(middle),
      called ? toCount(called.redis) : '–',
      called ? toCount(called.sql) : '–',
    ]
  })
  const head = ['Lineage', 'requests/s', 'p50 ms', 'p99 ms', 'Redis CPU µs', 'RSS MiB']
  return toTable([...head, 'Redis calls', 'SQL statements'], rows)
}

const toCount = (count: number) => (Number.isInteger(count) ? String(count) : count.toFixed(2))

function peerTable(results: Results): string {
  const rows = listScenarios(results).flatMap(([name, { measures, ratios, calls }]) =>
    PEERS.filter((peer) => measures[peer]).map((peer) => [
      SCENARIOS[name],
      peer,
      middle(measures[peer]?.perSecond),
      middle(measures.lineage?.perSecond),
      spreadText(ratios[peer]?.perSecond),
      spreadText(ratios[peer]?.cpuMicros),
      calls[peer] ? toCount(calls[peer].redis) : '–',
    ]),
  )
  const head = ['What', 'peer', 'its requests/s', "Lineage's", 'ratio', 'ratio of server CPU']
  return toTable([...head, 'its Redis calls'], rows)
}

function floodTable({ scenarios }: Results): string {
  const rows = Object.entries(scenarios.flood?.measures ?? {}).map(([name, measures]) => [
    name,
    ...['aloneP99Ms', 'p99Ms', 'p99Ratio', 'alonePerSecond', 'perSecond', 'loginsPerSecond'].map(
      (measure) => middle(measures[measure]),
    ),
  ])
  const head = ['Refreshes', 'p99 alone, ms', 'in a login flood', 'ratio', 'a second alone']
  return toTable([...head, 'in the flood', 'logins/s beside them'], rows)
}

function workersTable({ allCores = {} }: Results): string {
  const rows = SCENARIO_NAMES.flatMap((name) => {
    const found = allCores[name]
    if (!found) return []
    return [[SCENARIOS[name], middle(found.one), middle(found.all), spreadText(found.ratio)]]
  })
  return toTable(['Requests a second', 'one process', 'one for each core', 'ratio'], rows)
}

function startTable({ start }: Results): string {
  const rows = Object.entries(start ?? {}).map(([name, measures]) => [
    name,
    spreadText(measures.firstTokenMs),
    spreadText(measures.idleRssMib),
  ])
  return toTable(['Start', 'first token, ms', 'idle RSS, MiB'], rows)
}

function scaleTables({ scale }: Results): string {
  const tables = Object.entries(scale ?? {}).map(([name, { title, cases, measures }]) => {
    const rows = measures.map(({ name: what, unit, costs, ratios }) => [
      `${what}, ${unit.replace('us', 'µs')}`,
      ...costs.map(middle),
      ratios.map(({ median }) => toText(median)).join(', '),
    ])
    const table = toTable([name, ...cases, 'ratio'], rows)
    return `${title[0]?.toUpperCase()}${title.slice(1)}:\n\n${table}`
  })
  return tables.join('\n\n')
}
