// Rules and dashboard ask only for what the service tells: metrics that there are, labels that these
// have, and words that these labels may be. What recording rules make is used.

import { collectDefaultMetrics, Registry } from 'prom-client'
import { test } from 'tap'
import { openFigures } from '../../src/metrics/figures.ts'
import { readDashboard } from '../dashboard/dashboard-file.ts'
import { type Matcher, readExpression, type Selector } from './promql.ts'
import { readAlerts, readRecordings } from './rule-files.ts'

/** What Prometheus itself adds to each series, and the series that it makes. */
const OF_TARGETS = ['job', 'instance']
const OF_PROMETHEUS: readonly [string, readonly string[]][] = [
  ['up', []],
  ['ALERTS', ['alertname', 'alertstate']],
]

const RECORDINGS = readRecordings()
const EXPRESSIONS = [
  ...RECORDINGS.map(({ record, expr }) => ({ of: record, expr })),
  ...readAlerts().map(({ alert, expr }) => ({ of: alert, expr })),
  ...readPanelExpressions(),
  ...readVariableExpressions(),
]

function readPanelExpressions() {
  return readDashboard().panels.flatMap(({ title, targets = [] }) =>
    targets.map(({ expr }) => ({ of: title, expr: plain(expr) })),
  )
}

/** `label_values(series, label)` is Grafana's. */
function readVariableExpressions() {
  return readDashboard().templating.list.flatMap(({ name, query }) => {
    const text = typeof query === 'string' ? query : query.query
    const [, series, label] = /^label_values\((.+), (\w+)\)$/.exec(text) ?? []
    return series ? [{ of: name, expr: `sum by (${label}) (${plain(series)})` }] : []
  })
}

function plain(expr: string): string {
  return expr.replaceAll('$__rate_interval', '1m')
}

/** The names of all series with the labels of each. */
function readSeries(): ReadonlyMap<string, readonly string[]> {
  const registry = new Registry()
  collectDefaultMetrics({ register: registry })
  const ofProcess = registry.getMetricsAsArray() as unknown as {
    name: string
    type: string
    labelNames: string[]
  }[]
  const ours = Object.values(openFigures()).map((figure) => ({
    ...{ name: figure.facts.name, labelNames: figure.facts.labels },
    type: figure.facts.name.endsWith('_seconds') && 'observe' in figure ? 'histogram' : 'other',
  }))
  const series = [...ofProcess, ...ours].flatMap(({ name, type, labelNames }) =>
    type === 'histogram'
      ? [
          [`${name}_bucket`, [...labelNames, 'le']] as const,
          [`${name}_sum`, labelNames] as const,
          [`${name}_count`, labelNames] as const,
        ]
      : [[name, labelNames] as const],
  )
  return new Map<string, readonly string[]>([...OF_PROMETHEUS, ...series, ...readRecorded()])
}

/** A recorded series has the labels that its level names. */
function readRecorded(): [string, readonly string[]][] {
  return RECORDINGS.map(({ record }) => [record, record.split(':')[0]?.split('_') ?? []])
}

const SERIES = readSeries()

test('every series that is asked for is one that there is, with labels that it has', async (t) => {
  for (const { of, expr } of EXPRESSIONS) {
    const { selectors } = readExpression(expr)
    t.ok(selectors.length > 0, of)
    for (const { metric, matchers } of selectors) {
      const labels = SERIES.get(metric)
      if (!labels) t.fail(`${of} asks for ${metric}`)
      for (const { label } of matchers) {
        const isThere = [...(labels ?? []), ...OF_TARGETS].includes(label)
        t.ok(isThere, `${of}: ${metric} has a label ${label}`)
      }
    }
  }
})

test('what is grouped by is a label of something that is asked for', async (t) => {
  for (const { of, expr } of EXPRESSIONS) {
    const { selectors, grouping } = readExpression(expr)
    const labels = [...OF_TARGETS, ...selectors.flatMap(({ metric }) => SERIES.get(metric) ?? [])]
    for (const label of grouping) t.ok(labels.includes(label), `${of}: by ${label}`)
  }
})

test('a word that a label is compared with is one that the service says', async (t) => {
  const words = await readWords()
  let seen = 0
  for (const { of, expr } of EXPRESSIONS) {
    for (const { metric, matchers } of readExpression(expr).selectors) {
      for (const matcher of matchers) {
        const known = words.get(`${metric} ${matcher.label}`)
        if (!known || matcher.value.includes('$')) continue
        for (const word of matcher.value.split('|')) {
          seen += 1
          t.ok(known.has(word), `${of}: ${metric} is never ${matcher.label} ${word}`)
        }
      }
    }
  }
  t.ok(seen > 20, 'the words were found')
})

/** Of metrics that show all their combinations from the beginning. */
async function readWords(): Promise<ReadonlyMap<string, ReadonlySet<string>>> {
  const words = new Map<string, Set<string>>()
  for (const figure of Object.values(openFigures())) {
    const { name, values } = await figure.snapshot()
    for (const [label, word] of values.flatMap(({ labels }) => Object.entries(labels))) {
      const key = `${name} ${label}`
      words.set(key, (words.get(key) ?? new Set()).add(String(word)))
    }
  }
  return words
}

test('a rule records under its name what its level says', async (t) => {
  for (const { record, expr } of RECORDINGS) {
    const level = record.split(':')[0]?.split('_') ?? []
    const { grouping } = readExpression(expr)
    t.strictSame(
      [...new Set(grouping)].filter((label) => label !== 'le').sort(),
      level.sort(),
      record,
    )
  }
})

test('every recorded series is used by an alert or a panel', async (t) => {
  const used = new Set(
    EXPRESSIONS.flatMap(({ expr }) => readExpression(expr).selectors.map(({ metric }) => metric)),
  )
  for (const { record } of RECORDINGS) t.ok(used.has(record), record)
})

test('the checks can fail: a metric, a label and a word that there is not', async (t) => {
  const [selector] = readExpression('lineage_refresh_total{outcome="rotated",kind=~"a|b"}')
    .selectors as [Selector]
  t.strictSame(
    selector.matchers.map(({ label, operator, value }: Matcher) => [label, operator, value]),
    [
      ['outcome', '=', 'rotated'],
      ['kind', '=~', 'a|b'],
    ],
  )
  t.notOk(SERIES.get('lineage_refresh_total')?.includes('kind'))
  t.notOk(SERIES.has('lineage_refreshes_total'))
  t.throws(() => readExpression('sum by (job (up)'), /no PromQL/)
})
