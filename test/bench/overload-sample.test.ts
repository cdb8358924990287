// `npm run bench -- overload` with few callers, for a moment: it comes to its end, everybody is in its table, and
// the page of the full size is left alone. How fast it was is not looked at, nor how many were answered, who are
// none where the machine stands still for that moment.

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
  const names = ['refreshes alone, 0.3', 'refreshes, with 2.7', '… client_credentials', '… logins']
  for (const name of names) {
    const row = rows.find(([, first]) => first?.startsWith(name)) ?? []
    t.ok(Number(row[2]) >= 0, name)
    t.equal(row.length, 7)
  }
  t.match(stdout, /Beside the others refreshes keep/)
  t.equal(readFileSync(PAGE, 'utf8'), page, 'a small run is not kept')
})
