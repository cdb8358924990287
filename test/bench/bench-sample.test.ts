// `npm run bench` as everybody runs it, as short as it can be: everything takes part, nothing fails,
// and the results have the shape that the documentation is made of. How fast it was is not looked at.

import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { type Test, test } from 'tap'
import type { Results, ScenarioResult } from '../../bench/results.ts'
import { SCENARIO_NAMES, type ScenarioName } from '../../bench/scenarios.ts'
import { runBench } from './run-bench.ts'

const PARTICIPANTS: Record<ScenarioName, readonly string[]> = {
  refresh: ['floor', 'lineage', 'oidc-provider', 'node-oauth'],
  'client-credentials': ['floor', 'signature', 'lineage', 'oidc-provider', 'node-oauth'],
  introspect: ['floor', 'lineage', 'oidc-provider'],
  'introspect-once': ['floor', 'lineage', 'oidc-provider'],
  verify: ['floor', 'lineage', 'node-oauth'],
  revoke: ['floor', 'lineage', 'oidc-provider'],
  jwks: ['floor', 'lineage', 'oidc-provider'],
  metadata: ['floor', 'lineage', 'oidc-provider'],
  login: ['floor', 'lineage', 'oidc-provider', 'node-oauth'],
  flood: ['lineage', 'oidc-provider', 'node-oauth'],
}

/** Most of the time goes into the logins of the connections, with hashes of full strength. */
const SHORT = { BENCH_SECONDS: '0.02', BENCH_CONNECTIONS: '4', BENCH_COUNTED: '5' }

test('a short run of everything: who takes part, what is measured, what a request calls', (t) => {
  const file = join(t.testdir({}), 'results.json')
  const env = { ...SHORT, BENCH_ROUNDS: '1', BENCH_RESULTS: file }
  const { status, stdout, stderr } = runBench([], env)
  t.equal(status, 0, `${stdout}${stderr}`)
  const results = JSON.parse(readFileSync(file, 'utf8')) as Results
  t.match(results.machine, { cpu: /./, node: process.version, redis: /^\d/, postgres: /^\d/ })
  t.strictSame(Object.keys(results.scenarios), SCENARIO_NAMES)
  for (const name of SCENARIO_NAMES) checkScenario(t, name, results.scenarios[name])
  const { allCores = {} } = results
  const asked = ['refresh', 'client-credentials', 'introspect-once', 'login']
  t.strictSame(Object.keys(allCores), asked)
  for (const { one, all } of Object.values(allCores)) t.ok(one.low > 0 && all.low > 0)
  for (const [name, start] of Object.entries(results.start ?? {})) {
    t.ok((start.firstTokenMs?.median ?? 0) > 0, `${name} has started`)
    t.ok((start.idleRssMib?.median ?? 0) > 0)
  }
  t.strictSame(results.scenarios.refresh?.calls.lineage, { redis: 1, sql: 0 })
  t.strictSame(results.scenarios['client-credentials']?.calls.lineage, { redis: 0, sql: 0 })
  t.strictSame(results.scenarios.jwks?.calls.lineage, { redis: 0, sql: 0 })
  t.end()
})

function checkScenario(t: Test, name: ScenarioName, result: ScenarioResult | undefined): void {
  t.strictSame(Object.keys(result?.measures ?? {}), PARTICIPANTS[name], name)
  for (const [participant, measures] of Object.entries(result?.measures ?? {})) {
    for (const measured of ['perSecond', 'p50Ms', 'p99Ms']) {
      const { median = 0, low = 0, high = 0 } = measures[measured] ?? {}
      t.ok(low > 0 && low <= median && median <= high, `${participant} ${name} ${measured}`)
    }
  }
  const ratios = Object.entries(result?.ratios ?? {})
  t.equal(ratios.length, PARTICIPANTS[name].length - 1, 'each other one is compared')
}

test('a short run of what an owner notices of a flood', async (t) => {
  const { status, stdout, stderr } = runBench(['owner'], SHORT)
  t.equal(status, 0, `${stdout}${stderr}`)
  const rows = stdout.split('\n').map((line) => line.split('|').map((cell) => cell.trim()))
  const floods = ['many sources at the account', 'one source at many accounts']
  for (const name of ['alone', ...floods, 'many sources at many accounts']) {
    const [, , , , logins] = rows.find(([, first]) => first === name) ?? []
    t.ok(Number(logins) > 0, name)
  }
})
