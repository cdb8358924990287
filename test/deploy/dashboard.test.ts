// The dashboard of deploy/grafana: what Grafana would take, without two panels in one place or one
// without a word of explanation. That its queries have answers is shown in test/interop/dashboard.test.ts.

import { test } from 'tap'
import { type GridPosition, type Panel, readDashboard } from '../dashboard/dashboard-file.ts'
import { checkAgainstTypes } from './dashboard-types.ts'

const DASHBOARD = readDashboard()
const PANELS = DASHBOARD.panels
const CHARTS = PANELS.filter(({ type }) => type !== 'row')
const COLUMNS = 24

test("the file is what Grafana's own types ask for", async (t) => {
  t.strictSame(checkAgainstTypes(DASHBOARD), [])
})

test('the check against the types can fail: misspelt, missing, of a wrong type', async (t) => {
  const spoil = (from: string, to: string) =>
    checkAgainstTypes(JSON.parse(JSON.stringify(DASHBOARD).replace(from, to)) as object)
  for (const [from, to] of [
    ['"graphTooltip"', '"graphTooltips"'],
    ['"schemaVersion":42', '"schemaVersion":"42"'],
    ['"drawStyle":"line"', '"drawStyle":"curve"'],
    ['"colorMode"', '"colourMode"'],
  ] as const) {
    t.ok(spoil(from, to).length > 0, from)
  }
})

test('panels have ids of their own and lie beside each other', async (t) => {
  const ids = PANELS.map(({ id }) => id)
  t.equal(new Set(ids).size, ids.length)
  for (const [index, { title, gridPos }] of PANELS.entries()) {
    t.ok(gridPos.x >= 0 && gridPos.x + gridPos.w <= COLUMNS, `${title} is within the grid`)
    const over = PANELS.slice(index + 1).filter((other) => overlap(gridPos, other.gridPos))
    t.strictSame(
      over.map((panel) => panel.title),
      [],
      `nothing lies over ${title}`,
    )
  }
})

function overlap(one: GridPosition, other: GridPosition): boolean {
  const isBeside = one.x + one.w <= other.x || other.x + other.w <= one.x
  const isBelow = one.y + one.h <= other.y || other.y + other.h <= one.y
  return !isBeside && !isBelow
}

test('every panel has a title of its own, a description, a unit, and queries that differ', async (t) => {
  t.equal(new Set(PANELS.map(({ title }) => title)).size, PANELS.length)
  for (const { title, description = '', fieldConfig, targets = [] } of CHARTS) {
    t.match(description, /^[A-Z/].*\.$/, title)
    t.ok(fieldConfig?.defaults.unit, title)
    t.ok(targets.length > 0, title)
    t.equal(new Set(targets.map(({ refId }) => refId)).size, targets.length, title)
  }
})

test('rows have panels, and variables are used, by queries that use no others', async (t) => {
  const rows = PANELS.filter(({ type }) => type === 'row')
  t.ok(rows.length > 5)
  const after = (panel: Panel) => PANELS[PANELS.indexOf(panel) + 1]
  for (const row of rows) t.not(after(row)?.type ?? 'row', 'row', row.title)
  const variables = DASHBOARD.templating.list.map(({ name }) => name)
  const text = JSON.stringify(PANELS)
  const used = new Set([...text.matchAll(/\$\{?(\w+)/g)].map(([, name]) => name))
  t.strictSame([...used].sort(), [...variables, '__rate_interval'].sort())
})
