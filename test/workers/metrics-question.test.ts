// What a worker tells when nobody tells it the figures of the others.

import { test } from 'tap'
import { openMetricsQuestion } from '../../src/workers/metrics-question.ts'
import type { FromWorker } from '../../src/workers/worker-messages.ts'

const FIGURES = [{ name: 'a', help: 'a', type: 'counter', aggregator: 'sum', values: [] }] as const

test('without the others there are no metrics; the next question is a new one', async (t) => {
  const told: FromWorker[] = []
  const question = openMetricsQuestion((message) => told.push(message), 1)
  await t.rejects(question.ask([]), /not come in time/)
  const again = question.ask([])
  question.answered([FIGURES])
  t.strictSame(await again, [FIGURES])
  t.equal(told.length, 2)
})

test('who asks meanwhile hears the same answer', async (t) => {
  const told: FromWorker[] = []
  const question = openMetricsQuestion((message) => told.push(message))
  const asked = [question.ask([]), question.ask([])]
  question.answered([FIGURES])
  t.strictSame(await Promise.all(asked), [[FIGURES], [FIGURES]])
  t.equal(told.length, 1)
})
