// Lines over time, alone or one upon the other, with the thresholds of their panel.

import type { Panel } from '../dashboard-file.ts'
import type { Span } from '../prometheus.ts'
import { type Box, colourAt, colourNamed, drawText, fit, INK, round, showValue } from './paper.ts'

export interface Line {
  readonly label: string
  readonly points: readonly (readonly [at: number, value: number])[]
}

const AXIS = 62
const LEGEND_LINE = 14
const LEGEND_LINES = 2
const TICKS = 3

export function drawChart(
  box: Box,
  { fieldConfig }: Panel,
  lines: readonly Line[],
  span: Span,
): string {
  const { unit = 'short', custom, thresholds, max: fixedMax } = fieldConfig?.defaults ?? {}
  const isStacked = custom?.stacking?.mode === 'normal'
  const plot: Box = {
    x: box.x + AXIS,
    y: box.y + 4,
    width: box.width - AXIS - 8,
    height: box.height - LEGEND_LINE * LEGEND_LINES - 22,
  }
  const shown = isStacked ? stack(lines) : lines
  const marks = (thresholds?.steps ?? []).filter(({ value }) => value !== null)
  const highest = Math.max(
    0,
    ...shown.flatMap(({ points }) => points.map(([, value]) => value || 0)),
  )
  // A threshold that everything stays far below would flatten the lines.
  const near = marks.map(({ value }) => value ?? 0).filter((value) => value <= highest * 3)
  const max = fixedMax ?? niceAbove(Math.max(highest, ...near))
  const xOf = (at: number) =>
    round(plot.x + ((at - span.fromSeconds) / (span.toSeconds - span.fromSeconds)) * plot.width)
  const yOf = (value: number) => round(plot.y + plot.height * (1 - Math.min(value / max, 1)))
  const paths = shown.map(({ points }, index) => {
    const colour = colourAt(index)
    const runs = runsOf(points).map((run) =>
      run.map(([at, value]) => `${xOf(at)},${yOf(value)}`).join(' '),
    )
    return runs
      .map((run) => `<polyline points="${run}" fill="none" stroke="${colour}" stroke-width="1.3"/>`)
      .join('')
  })
  const rules = marks
    .filter(({ value }) => (value ?? 0) <= max)
    .map(({ value, color }) => {
      const y = yOf(value ?? 0)
      const ends = `x1="${plot.x}" x2="${round(plot.x + plot.width)}" y1="${y}" y2="${y}"`
      return `<line ${ends} stroke="${colourNamed(color)}" stroke-dasharray="4 3"/>`
    })
  return [...drawAxes(plot, max, unit, span), ...rules, ...paths, ...drawLegend(box, lines)].join(
    '\n',
  )
}

function drawAxes(plot: Box, max: number, unit: string, span: Span): string[] {
  const ticks = Array.from({ length: TICKS + 1 }, (_, index) => {
    const y = round(plot.y + plot.height * (1 - index / TICKS))
    const ends = `x1="${plot.x}" x2="${round(plot.x + plot.width)}" y1="${y}" y2="${y}"`
    const value = showValue((max * index) / TICKS, unit)
    return `<line ${ends} stroke="${INK.line}"/>${drawText(plot.x - 5, y + 3, value, { size: 9, fill: INK.quiet, anchor: 'end' })}`
  })
  const seconds = span.toSeconds - span.fromSeconds
  const times = [0, 0.5, 1].map((share) =>
    drawText(
      plot.x + plot.width * share,
      plot.y + plot.height + 12,
      `${Math.round(seconds * share)} s`,
      {
        size: 9,
        fill: INK.quiet,
        anchor: share === 0 ? 'start' : share === 1 ? 'end' : 'middle',
      },
    ),
  )
  return [...ticks, ...times]
}

/** As many as two lines hold. */
function drawLegend(box: Box, lines: readonly Line[]): string[] {
  const drawn: string[] = []
  let [x, row] = [box.x + 8, 0]
  for (const [index, { label }] of lines.entries()) {
    const text = fit(label, box.width - 30)
    const width = 18 + text.length * 5.6
    if (x + width > box.x + box.width - 4 && x > box.x + 8) [x, row] = [box.x + 8, row + 1]
    const y = box.y + box.height - LEGEND_LINE * (LEGEND_LINES - row) + 9
    if (row === LEGEND_LINES) break
    drawn.push(
      `<rect x="${round(x)}" y="${y - 5}" width="10" height="3" fill="${colourAt(index)}"/>`,
    )
    drawn.push(drawText(x + 13, y, text, { size: 9, fill: INK.quiet }))
    x += width
  }
  return drawn
}

/** Each line upon those before it; a missing value is nothing. */
function stack(lines: readonly Line[]): Line[] {
  const floor = new Map<number, number>()
  return lines.map(({ label, points }) => ({
    label,
    points: points.map(([at, value]) => {
      const top = (floor.get(at) ?? 0) + (value || 0)
      floor.set(at, top)
      return [at, top] as const
    }),
  }))
}

/** Without the moments at which there is no number. */
function runsOf(points: Line['points']): Line['points'][] {
  const runs: (readonly [number, number])[][] = [[]]
  for (const point of points) {
    if (Number.isFinite(point[1])) runs.at(-1)?.push(point)
    else if (runs.at(-1)?.length) runs.push([])
  }
  return runs.filter((run) => run.length > 0)
}

/** 1, 2 or 5 times a power of ten, so that the axis reads well. */
function niceAbove(value: number): number {
  if (value <= 0) return 1
  const power = 10 ** Math.floor(Math.log10(value))
  return ([1, 2, 3, 5, 10].find((step) => step * power >= value) ?? 10) * power
}
