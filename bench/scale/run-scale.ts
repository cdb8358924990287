// Asks the questions of scale: the cases in turns, medians over the rounds, and the ratio of each
// larger case to the smallest, taken in each round.

import { openScope } from '../../test/support/scope.ts'
import { SCALE, SCALE_ROUNDS } from '../options.ts'
import { printTable, toCell, toText } from '../report/print.ts'
import { writeDocs } from '../report/write-docs.ts'
import { keepScale } from '../results.ts'
import { spreadOf } from '../statistics.ts'
import { QUESTIONS } from './questions.ts'
import type {
  MeasuredQuestion,
  MeasuredScale,
  ScaleMeasure,
  ScaleQuestion,
} from './scale-question.ts'

/** `words` choose questions by their names. Kept in the results when the sizes were the full ones. */
export async function runScale(words: readonly string[]): Promise<void> {
  const asked = QUESTIONS.filter(
    ({ name }) => words.length === 0 || words.some((word) => name.includes(word)),
  )
  if (asked.length === 0) {
    throw new Error(`the questions are ${QUESTIONS.map(({ name }) => name).join(', ')}`)
  }
  for (const question of asked) {
    const measured = await ask(question)
    print(question.name, measured)
    if (SCALE !== 1) continue
    keepScale({ [question.name]: measured })
    writeDocs()
  }
}

const scaled = (full: number) => Math.max(1, Math.round(full * SCALE))

async function ask(question: ScaleQuestion): Promise<MeasuredQuestion> {
  const scope = openScope()
  try {
    const { cases, measures, facts = {} } = await question.prepare(scope, scaled)
    return { title: question.title, cases, measures: await measureAll(measures), facts }
  } finally {
    await scope.close()
  }
}

async function measureAll(measures: readonly ScaleMeasure[]): Promise<MeasuredScale[]> {
  const rounds = new Map<ScaleMeasure, number[][]>(measures.map((measure) => [measure, []]))
  for (let round = 0; round <= SCALE_ROUNDS; round += 1) {
    for (const [measure, measured] of rounds) {
      const costs = await measureCases(measure, round)
      // The first round fills caches, in every case.
      if (round > 0) measured.push(costs)
    }
  }
  return [...rounds].map(([{ name, unit, cases }, measured]) => {
    const spread = (costOf: (costs: number[]) => number) => spreadOf(measured.map(costOf))
    const indexes = [...cases.keys()]
    return {
      name,
      unit,
      costs: indexes.map((i) => spread((costs) => costs[i] ?? Number.NaN)),
      ratios: indexes
        .slice(1)
        .map((i) => spread((costs) => (costs[i] ?? Number.NaN) / (costs[0] ?? Number.NaN))),
    }
  })
}

/** Who is first changes, so that nobody always finds what another has warmed. */
async function measureCases({ cases }: ScaleMeasure, round: number): Promise<number[]> {
  const costs: number[] = []
  const first = round % cases.length
  const indexes = [...cases.keys()]
  for (const index of [...indexes.slice(first), ...indexes.slice(0, first)]) {
    costs[index] = (await cases[index]?.()) ?? Number.NaN
  }
  return costs
}

function print(name: string, { title, cases, measures, facts }: MeasuredQuestion): void {
  console.log(`${name}: ${title}\n`)
  const rows = measures.map((one) => [
    `${one.name}, ${one.unit}`,
    ...one.costs.map(toCell),
    one.ratios.map(({ median }) => toText(median)).join(', '),
  ])
  printTable([['', ...cases, 'ratio'], ...rows])
  for (const [fact, value] of Object.entries(facts)) console.log(`  ${fact}: ${toText(value)}`)
  console.log('')
}
