// Our own server under our own suite: nothing fails, most of it passes, and what is not looked at is
// named here with its reason, row by row.

import { type Test, test } from 'tap'
import { openTestRedis } from '../../../test/support/redis.ts'
import { CHECKLIST } from '../src/checklist.ts'
import {
  type ConformanceReport,
  type RowResult,
  type RunOptions,
  runConformance,
} from '../src/run-checks.ts'
import { type LineageSceneOptions, startLineageScene } from './lineage-scene.ts'

const PASSED_MIN = 98
const FLOODS = 'it sends many requests: only with --flood'
const NO_DISABLING = 'no standard says how a user or a client is disabled'

const SKIPPED: Readonly<Record<string, string>> = {
  C2: 'it is reached over a loopback address',
  C22: FLOODS,
  C29: FLOODS,
  C41: FLOODS,
  C42: FLOODS,
  C44: FLOODS,
  C56: 'no standard says how a password is changed or an account disabled',
  C58: NO_DISABLING,
  C89: 'a 503 needs a part of the service that is down',
  C97: 'the metadata has no introspection_signing_alg_values_supported',
  C108: 'the resource has no metadata',
  C109: 'only the receiver of back-channel logout sees them',
  C110: 'only the receiver of security events sees them',
  C111: 'the tokens name no status list',
}

async function conform(
  t: Test,
  run: Pick<RunOptions, 'only' | 'flood'> = {},
  scene: LineageSceneOptions = {},
): Promise<ConformanceReport> {
  return await runConformance({ ...(await startLineageScene(t, scene)), ...run })
}

function select({ rows }: ConformanceReport, status: RowResult['status']): Record<string, string> {
  const chosen = rows.filter((result) => result.status === status)
  return Object.fromEntries(chosen.map(({ row, reason = '' }) => [row, reason]))
}

test('all 112 rows stand in the checklist, in their order', async (t) => {
  const numbers = Array.from({ length: 112 }, (_, index) => `C${index + 1}`)
  t.strictSame(
    CHECKLIST.map(({ row }) => row),
    numbers,
  )
})

test('no row fails against Lineage, 98 and more pass, the rest has its reason', async (t) => {
  const report = await conform(t)
  t.strictSame(select(report, 'FAIL'), {})
  t.strictSame(select(report, 'SKIP'), SKIPPED)
  const passed = Object.keys(select(report, 'PASS')).length
  t.ok(passed >= PASSED_MIN, `${passed} rows pass`)
  t.strictSame(report.summary, { passed, failed: 0, skipped: Object.keys(SKIPPED).length })
})

/** Each of them sends assertions that are wrong. */
const OF_KEYS = ['C31', 'C32', 'C33', 'C34', 'C35', 'C36']

test('throttled, the suite skips its last guesses and blames nobody', async (t) => {
  const report = await conform(t, {}, { throttleExempt: [] })
  t.strictSame(select(report, 'FAIL'), {})
  const skipped = Object.entries(select(report, 'SKIP')).filter(([row]) => !(row in SKIPPED))
  for (const [row, reason] of skipped) t.match(reason, /throttled/, row)
  const others = skipped.filter(([row]) => !OF_KEYS.includes(row))
  t.ok(others.length <= 3, skipped.join('; '))
})

const OF_DPOP = ['C98', 'C99', 'C100', 'C101', 'C102', 'C103', 'C104']

test('without a demand for nonces a proof is judged by its time, and every other row passes', async (t) => {
  const report = await conform(t, { only: OF_DPOP }, { dpopNonce: 'off' })
  t.strictSame(select(report, 'SKIP'), { C103: 'the service demands no nonce' })
  t.strictSame(select(report, 'FAIL'), {})
})

const OF_FAMILIES = [
  ...['C20', 'C49', 'C50', 'C51', 'C52', 'C53', 'C54', 'C55', 'C57', 'C59', 'C60', 'C61'],
  ...['C68', 'C83', 'C84', 'C85', 'C86', 'C87', 'C93', 'C96', 'C105', 'C112'],
]

test('with families in Redis every row about them passes, too', async (t) => {
  const { url: redisUrl } = await openTestRedis(t)
  const report = await conform(t, { only: OF_FAMILIES }, { redisUrl })
  t.strictSame(
    Object.keys(select(report, 'PASS')),
    OF_FAMILIES,
    JSON.stringify(select(report, 'FAIL')),
  )
})

test('clients with keys pass every row about them, wherever ids of single use are kept', async (t) => {
  const only = [...OF_KEYS, 'C37']
  const { url: redisUrl } = await openTestRedis(t)
  for (const options of [{ redisUrl }, {}]) {
    const scene = await startLineageScene(t, options)
    const credentials = { ...scene.credentials, certificateClient: scene.selfSignedClient }
    const report = await runConformance({ ...scene, credentials, only })
    t.strictSame(Object.keys(select(report, 'PASS')), only, JSON.stringify(report.rows))
  }
})

test('an issuer with a path is served and described under it', async (t) => {
  const only = ['C1', 'C10', 'C62', 'C64', 'C73', 'C74', 'C76', 'C77', 'C78', 'C79', 'C80', 'C107']
  const report = await conform(t, { only }, { path: '/tenants/one' })
  t.strictSame(Object.keys(select(report, 'PASS')), only, JSON.stringify(select(report, 'FAIL')))
})

test('under a flood guessing is held up, and nobody is logged out', async (t) => {
  const only = ['C22', 'C29', 'C41', 'C44']
  const report = await conform(t, { only, flood: true }, { throttleExempt: [] })
  t.strictSame(Object.keys(select(report, 'PASS')), only, JSON.stringify(select(report, 'FAIL')))
})

test('an unknown user takes as long as a wrong password, seen from where nobody is throttled', async (t) => {
  const report = await conform(t, { only: ['C42'], flood: true })
  t.strictSame(Object.keys(select(report, 'PASS')), ['C42'], JSON.stringify(report.rows))
})
