// The alerts of deploy/prometheus: each with what it needs to be acted upon, its section of the
// runbook, and a test that raises it and one that does not. promtool runs those tests in
// test/interop/prometheus-rules.test.ts; that rules ask only for what there is says metrics-used.test.ts.

import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'tap'
import { ROOT } from '../support/repository-text.ts'
import { readAlerts, readRecordings, readRuleTests } from './rule-files.ts'

const ALERTS = readAlerts()
const RUNBOOK = readFileSync(join(ROOT, 'docs/operations.md'), 'utf8')

/** The sections of the runbook by their heading. */
function readSections(): ReadonlyMap<string, string> {
  const [, chapter = ''] = RUNBOOK.split(/^## Alerts$/m)
  const [own = ''] = chapter.split(/^## /m)
  const sections = own.split(/^### /m).slice(1)
  return new Map(
    sections.map((section) => {
      const [heading = '', ...lines] = section.split('\n')
      return [heading, lines.join('\n')]
    }),
  )
}

test('alerts and sections of the runbook are the same set', async (t) => {
  const names = ALERTS.map(({ alert }) => alert)
  t.strictSame([...readSections().keys()].sort(), [...names].sort())
  t.equal(new Set(names).size, names.length, 'no name twice')
})

test('a section says the severity, what the alert means, where to look and what to do', async (t) => {
  const sections = readSections()
  for (const { alert, labels } of ALERTS) {
    const section = sections.get(alert) ?? ''
    const severity = /^\*(\w+)\.\* \*\*Means\*\* \w/m.exec(section)?.[1]
    t.equal(severity?.toLowerCase(), labels.severity, alert)
    t.match(section, /^\*\*Look\*\* \w/m, alert)
    t.match(section, /^\*\*Do\*\* [\w`]/m, alert)
  }
})

test('an alert has a known severity, texts, and the way to its section', async (t) => {
  for (const { alert, labels, annotations } of ALERTS) {
    t.match(alert, /^Lineage[A-Z]\w+$/)
    t.strictSame(Object.keys(labels), ['severity'], alert)
    t.ok(['critical', 'warning', 'info'].includes(labels.severity ?? ''), alert)
    t.strictSame(Object.keys(annotations), ['summary', 'description', 'runbook_url'], alert)
    t.notMatch(annotations.summary, '{{', 'what is told together has one summary')
    t.equal(annotations.runbook_url, `docs/operations.md#${alert.toLowerCase()}`)
  }
})

test('an alert that looks at a moment waits, so that one scrape raises nothing', async (t) => {
  for (const { alert, expr, for: wait } of ALERTS) {
    const isOfATime = /\b(?:increase|changes)\(/.test(expr)
    t.ok(isOfATime || wait !== undefined, alert)
  }
})

test('every alert has a unit test that raises it and one that does not', async (t) => {
  const tests = readRuleTests()
  const raises = (name: string) =>
    tests.filter(({ promql_expr_test: asked }) =>
      asked.some(({ exp_samples: samples = [] }) =>
        samples.some(({ labels }) => labels === `{alertname="${name}"}`),
      ),
    )
  for (const { alert } of ALERTS) {
    const raising = raises(alert)
    t.ok(raising.length > 0, `${alert} is raised`)
    for (const { name } of raising) t.match(name, new RegExp(`^${alert} fires\\b`))
    const silent = tests.filter(({ name }) => name.startsWith(`${alert} stays silent: `))
    t.ok(silent.length > 0, `${alert} stays silent`)
  }
  for (const { name, promql_expr_test: asked } of tests) {
    t.ok(
      asked.every(({ expr }) => /ALERTS\b/.test(expr)),
      `${name} looks at all alerts`,
    )
    if (name.includes('stays silent')) {
      t.ok(
        asked.every(({ exp_samples: samples = [] }) => samples.length === 0),
        name,
      )
    }
  }
})

test('recording rules are named by level, metric and operations', async (t) => {
  for (const { record } of readRecordings()) {
    t.match(record, /^job(?:_[a-z]+)*:lineage_\w+:[a-z0-9]+_rate\d+[mh]$/)
  }
})
