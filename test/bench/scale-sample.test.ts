// `npm run bench -- scale` at sizes that say nothing: every question can be asked.

import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'tap'
import { QUESTIONS } from '../../bench/scale/questions.ts'
import { runBench } from './run-bench.ts'

test('each question of scale at a small size', (t) => {
  const file = join(t.testdir({}), 'results.json')
  const env = { BENCH_SCALE: '0.001', BENCH_SCALE_ROUNDS: '1', BENCH_RESULTS: file }
  const { status, stdout, stderr } = runBench(['scale'], env)
  t.equal(status, 0, stderr)
  for (const { name, title } of QUESTIONS) t.match(stdout, `${name}: ${title}`)
  t.notOk(existsSync(file), 'small sizes are not kept')
  t.end()
})

test('a word that names no question', (t) => {
  const { status, stderr } = runBench(['scale', 'nothing'], {})
  t.not(status, 0)
  t.match(stderr, `the questions are ${QUESTIONS.map(({ name }) => name).join(', ')}`)
  t.end()
})
