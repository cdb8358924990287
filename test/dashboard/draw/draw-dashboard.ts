// The dashboard as one SVG: every panel in its place, with what Prometheus answered its queries.

import type { Dashboard, Panel, Query } from '../dashboard-file.ts'
import type { Series, Span } from '../prometheus.ts'
import { drawChart, type Line } from './chart.ts'
import { drawHeatmap, drawStat, drawTable, drawTimeline } from './figures.ts'
import { type Box, drawBox, drawText, fit, INK } from './paper.ts'

const COLUMN = 58
const ROW = 28
const GAP = 6
const TITLE = 22

/** What Prometheus answered one query. */
export interface Answer {
  readonly query: Query
  readonly series: readonly Series[]
}

export function drawDashboard(
  { title, panels }: Dashboard,
  answers: ReadonlyMap<number, readonly Answer[]>,
  span: Span,
): string {
  const width = 24 * COLUMN + GAP
  const height = Math.max(...panels.map(({ gridPos }) => gridPos.y + gridPos.h)) * ROW + GAP
  const drawn = panels.map((panel) => drawPanel(panel, answers.get(panel.id) ?? [], span))
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" role="img" font-family="system-ui, sans-serif">
<title>The dashboard ${title}</title>
${drawBox({ x: 0, y: 0, width, height }, INK.paper)}
${drawn.join('\n')}
</svg>
`
}

function drawPanel(panel: Panel, answers: readonly Answer[], span: Span): string {
  const { x, y, w, h } = panel.gridPos
  const frame = {
    x: x * COLUMN + GAP,
    y: y * ROW + GAP,
    width: w * COLUMN - GAP,
    height: h * ROW - GAP,
  }
  if (panel.type === 'row') {
    return drawText(frame.x + 2, frame.y + 16, panel.title, { size: 13, weight: 600 })
  }
  const box = { ...frame, y: frame.y + TITLE, height: frame.height - TITLE }
  const name = fit(panel.title, frame.width - 12)
  return [
    `<g>${drawBox(frame, INK.panel, `stroke="${INK.line}" rx="2"`)}`,
    drawText(frame.x + 8, frame.y + 15, name, { size: 11, weight: 600 }),
    drawContent(box, panel, answers, span),
    '</g>',
  ].join('\n')
}

function drawContent(box: Box, panel: Panel, answers: readonly Answer[], span: Span): string {
  const series = answers.flatMap((answer) => answer.series)
  if (panel.type === 'stat') return drawStat(box, panel, series)
  if (panel.type === 'table') return drawTable(box, panel, series)
  if (panel.type === 'heatmap') return drawHeatmap(box, series, span)
  const lines = answers.flatMap(toLines)
  if (panel.type === 'timeseries') return drawChart(box, panel, lines, span)
  return drawTimeline(
    box,
    series,
    lines.map(({ label }) => label),
    span,
  )
}

function toLines({ query, series }: Answer): Line[] {
  return series.map(({ metric, values }) => ({
    label: query.legendFormat.replaceAll(/\{\{(\w+)\}\}/g, (_, name: string) => metric[name] ?? ''),
    points: values.map(([at, text]) => [at, Number(text)] as const),
  }))
}
