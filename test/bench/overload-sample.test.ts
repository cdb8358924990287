// `npm run bench -- overload` with few callers, for a moment: each class is answered, refreshes are what is
// compared, and the page of the full size is left alone. How fast it was is not looked at.

import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'tap'
import { ROOT } from '../support/repository-text.ts'
import { runBench } from './run-bench.ts'

const PAGE = join(ROOT, 'docs/reliability.md')
const SMALL = { BENCH_SCALE: '0.02', BENCH_SECONDS: '0.05', BENCH_ROUNDS: '1' }

test('a short run of what a flood of others leaves to refreshes', async (t) => {
  const page = readFileSync(PAGE, 'utf8')
  const { status, stdout, stderr } = runBench(['overload'], SMALL)
  t.equal(status, 0, `${stdout}${stderr}`)
  const rows = stdout.split('\n').map((line) => line.split('|').map((cell) => cell.trim()))
  for (const name of ['refreshes alone, 0.3', 'refreshes, with 2.7', '… client_credentials']) {
    const [, , perSecond, p50, p99] = rows.find(([, first]) => first?.startsWith(name)) ?? []
    t.ok(Number(perSecond) > 0 && Number(p50) > 0 && Number(p99) >= Number(p50), name)
  }
  t.match(stdout, /refreshes keep\n[\d.]+ % of their goodput/)
  t.equal(readFileSync(PAGE, 'utf8'), page, 'a small run is not kept')
})
