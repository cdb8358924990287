// The panels that are no lines: one number, a heatmap, states over time, a table.

import type { Panel } from '../dashboard-file.ts'
import type { Series, Span } from '../prometheus.ts'
import { type Box, colourNamed, drawBox, drawText, fit, INK, showValue } from './paper.ts'

function lastOf({ values }: Series): number {
  return Number(values.at(-1)?.[1] ?? Number.NaN)
}

export function drawStat(box: Box, { fieldConfig }: Panel, [series]: readonly Series[]): string {
  const { unit = 'short', thresholds } = fieldConfig?.defaults ?? {}
  const value = series ? lastOf(series) : Number.NaN
  const step = thresholds?.steps.findLast((one) => one.value === null || value >= one.value)
  const [x, y] = [box.x + box.width / 2, box.y + box.height / 2 + 10]
  const style = { size: 30, anchor: 'middle', weight: 600 } as const
  return drawText(x, y, showValue(value, unit), { ...style, fill: colourNamed(step?.color ?? '') })
}

/** The darker a cell, the more fell into it; series are cumulative by `le`. */
export function drawHeatmap(box: Box, series: readonly Series[], span: Span): string {
  const bound = (one: Series) => (one.metric.le === '+Inf' ? Infinity : Number(one.metric.le))
  const rows = [...series].sort((one, other) => bound(one) - bound(other))
  const plot = { x: box.x + 62, y: box.y + 4, width: box.width - 70, height: box.height - 22 }
  const height = plot.height / Math.max(rows.length, 1)
  const columns = Math.round((span.toSeconds - span.fromSeconds) / span.stepSeconds) + 1
  const width = plot.width / Math.max(columns, 1)
  const below = new Map<number, number>()
  const cells = rows.map(({ values }) =>
    values.map(([at, text]) => {
      const count = Number(text) - (below.get(at) ?? 0)
      below.set(at, Number(text))
      return [at, count] as const
    }),
  )
  const most = Math.max(1, ...cells.flat().map(([, count]) => count || 0))
  return rows
    .flatMap((row, index) => {
      const y = plot.y + plot.height - height * (index + 1)
      const label = Number.isFinite(bound(row)) ? showValue(bound(row), 's') : 'more'
      const drawn = (cells[index] ?? []).filter(([, count]) => count > 0)
      return [
        drawText(plot.x - 5, y + height / 2 + 3, label, {
          size: 8,
          fill: INK.quiet,
          anchor: 'end',
        }),
        ...drawn.map(([at, count]) => {
          const x = plot.x + ((at - span.fromSeconds) / span.stepSeconds) * width
          const shade = Math.round(Math.sqrt(count / most) * 90 + 10) / 100
          const cell = { x, y, width: Math.max(width - 0.5, 0.5), height: height - 0.5 }
          return drawBox(cell, '#ff9830', `opacity="${shade}"`)
        }),
      ]
    })
    .join('\n')
}

export function drawTimeline(
  box: Box,
  series: readonly Series[],
  labels: readonly string[],
  span: Span,
): string {
  const plot = { x: box.x + 150, y: box.y + 4, width: box.width - 158, height: box.height - 12 }
  const height = plot.height / Math.max(series.length, 1)
  const columns = (span.toSeconds - span.fromSeconds) / span.stepSeconds + 1
  const width = plot.width / columns
  return series
    .flatMap(({ values }, index) => {
      const y = plot.y + height * index
      return [
        drawText(box.x + 6, y + height / 2 + 3, fit(labels[index] ?? '', 140), { size: 9 }),
        ...values.map(([at, text]) => {
          const x = plot.x + ((at - span.fromSeconds) / span.stepSeconds) * width
          const fill = colourNamed(Number(text) >= 1 ? 'green' : 'red')
          return drawBox({ x, y, width: width + 0.3, height: height * 0.8 }, fill, 'opacity="0.8"')
        }),
      ]
    })
    .join('\n')
}

export function drawTable(box: Box, { fieldConfig }: Panel, series: readonly Series[]): string {
  const unit = fieldConfig?.defaults.unit ?? 'short'
  return series
    .map((one, index) => {
      const y = box.y + 18 + index * 18
      const names = Object.values(one.metric).map((text) =>
        fit(text, (box.width - 16) / (Object.keys(one.metric).length + 1) - 8),
      )
      const cells = [...names, showValue(lastOf(one), unit)]
      const step = (box.width - 16) / cells.length
      return cells
        .map((text, at) => drawText(box.x + 8 + step * at, y, text, { size: 10 }))
        .join('')
    })
    .join('\n')
}
