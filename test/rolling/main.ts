// `npm run rolling -- --rounds 3 --only NAME`: two instances behind nginx are replaced one at a time by
// another release and back, under load, in each of the scenes below; a request that is not answered as it should
// be is counted and makes the command fail. docs/reliability.md gets the table.

import { parseArgs } from 'node:util'
import { buildNext, checkOutBefore } from '../scenes/releases.ts'
import { type Environment, serverEnvironment } from '../support/lineage-process.ts'
import { startPostgres } from '../support/postgres.ts'
import { startRedis } from '../support/redis.ts'
import { writeReliability } from '../support/reliability-page.ts'
import { ROOT } from '../support/repository-text.ts'
import { runFacts } from '../support/run-facts.ts'
import { openScope, type Scope } from '../support/scope.ts'
import { isRefusal } from './rolling-load.ts'
import { ENV_OF_THIS, openRollingScene, type Release, type RollingScene } from './rolling-scene.ts'

interface Scene {
  readonly name: string
  readonly from: Release
  readonly to: Release
  readonly store: 'Redis' | 'PostgreSQL'
  readonly workers: number
}

const SHOWN = 40
/** As Redis does by default, and not the stricter way of the tests. */
const AS_PRODUCTION = ['--appendfsync', 'everysec']

const { values } = parseArgs({
  options: {
    /** How often all of it is done, there and back. */
    rounds: { type: 'string', default: '3' },
    only: { type: 'string' },
  },
})
const rounds = Number(values.rounds)
if (!Number.isInteger(rounds) || rounds < 1) {
  console.error('--rounds N --only NAME, both of them optional')
  process.exit(2)
}
const releases = openScope()
process.exit(await main().finally(() => releases.close()))

async function main(): Promise<0 | 1> {
  const scenes = listScenes(releases).filter(({ name }) => [undefined, name].includes(values.only))
  const rows: string[] = []
  let failed = 0
  for (const scene of scenes) {
    const { row, failures } = await run(scene)
    rows.push(row)
    failed += failures
  }
  console.log(failed === 0 ? 'every request was answered' : `${failed} requests failed`)
  if (values.only === undefined) writeReliability('rolling', pageOf(rows, failed))
  return failed === 0 ? 0 : 1
}

function listScenes(scope: Scope): readonly Scene[] {
  const compiled = 'dist/main.js'
  const one: Release = { name: 'this', root: ROOT, program: compiled, env: ENV_OF_THIS }
  const next: Release = { ...one, name: 'next', root: buildNext(scope) }
  const older = checkOutBefore(scope)
  const scenes: Scene[] = [
    { name: 'next', from: one, to: next, store: 'Redis', workers: 1 },
    { name: 'next-workers', from: one, to: next, store: 'Redis', workers: 2 },
    { name: 'next-postgresql', from: one, to: next, store: 'PostgreSQL', workers: 1 },
  ]
  // Sessions in Redis are not shared with it, so that its users log in again.
  const before = older && { name: 'before', root: older, program: 'src/main.ts', env: {} }
  if (before) {
    scenes.push({ name: 'before', from: before, to: one, store: 'PostgreSQL', workers: 1 })
  }
  return scenes
}

async function run(scene: Scene): Promise<{ row: string; failures: number }> {
  const { name, from, to, store, workers } = scene
  console.log(
    `${name}: ${from.name} to ${to.name} and back, sessions in ${store}, ${workers} process(es)`,
  )
  const scope = openScope()
  try {
    const postgres = await startPostgres(scope)
    const redis = store === 'Redis' ? await startRedis(scope, { args: AS_PRODUCTION }) : undefined
    const several: Environment = workers > 1 ? { LINEAGE_WORKERS: String(workers) } : {}
    const env = { ...serverEnvironment(postgres.url, redis?.url), ...several }
    const rolling = await openRollingScene(scope, { env, release: from })
    const begunAt = performance.now()
    for (let round = 1; round <= rounds; round += 1) {
      for (const release of [to, from]) {
        for (const slot of [0, 1]) {
          await rolling.replace(slot, release)
          console.log(`  round ${round}: instance ${slot} is ${release.name}, ${sumOf(rolling)}`)
        }
      }
    }
    await rolling.load.stop()
    const seconds = Math.round((performance.now() - begunAt) / 1000)
    for (const failure of rolling.load.failures.slice(0, SHOWN))
      console.log(`  FAILED ${JSON.stringify(failure)}`)
    console.log(`  ${JSON.stringify(Object.fromEntries(rolling.load.answered))}`)
    console.log(`  not served for: ${JSON.stringify(Object.fromEntries(rolling.reasons()))}`)
    console.log(`  slowest at an instance: ${rolling.slowest()}`)
    for (const line of rolling.complaints().slice(0, SHOWN)) console.log(`  nginx: ${line}`)
    console.log(`  passed on: ${JSON.stringify(Object.fromEntries(rolling.passedOn()))}`)
    return { row: rowOf(scene, rolling, seconds), failures: rolling.load.failures.length }
  } finally {
    await scope.close()
  }
}

function totalOf(counts: ReadonlyMap<string, number>): number {
  return [...counts.values()].reduce((sum, count) => sum + count, 0)
}

function sumOf({ load }: RollingScene): string {
  return `${totalOf(load.answered)} requests answered, ${load.failures.length} failed`
}

function rowOf(
  { from, to, store, workers }: Scene,
  rolling: RollingScene,
  seconds: number,
): string {
  const { load } = rolling
  const served = rolling.servedBy()
  const passed = rolling.passedOn()
  const refused = load.failures.filter(isRefusal).length
  const cells = [
    `${from.name} → ${to.name} → ${from.name}, ${rounds} times`,
    store,
    workers,
    rounds * 4,
    seconds,
    totalOf(load.answered),
    [from, to].map(({ name }) => `${name} ${served.get(name) ?? 0}`).join(', '),
    `${totalOf(passed)}, ${passed.get('POST') ?? 0} of them POST`,
    `${load.slowestMs()} ms`,
    `**${load.failures.length - refused}**`,
    refused,
  ]
  return `| ${cells.join(' | ')} |`
}

function pageOf(rows: readonly string[], failed: number): string {
  const heads = [
    'Releases',
    'Sessions in',
    'Processes of an instance',
    'Replacements',
    'Seconds',
    'Requests answered',
    'Answered by',
    'Passed on by nginx to the other instance',
    'Slowest',
    'Lost',
    'Refused (503)',
  ]
  const verdict = failed === 0 ? 'No request failed.' : `${failed} requests failed.`
  return [
    `${runFacts()}. ${verdict} Lost is a request`,
    'with another answer than it should have, or none; refused, one that Lineage answered with 503 because a store did',
    'not answer it in time, which a machine with too much to do has happen without any replacement.',
    '',
    `| ${heads.join(' | ')} |`,
    `|${'---|'.repeat(heads.length)}`,
    ...rows,
  ].join('\n')
}
