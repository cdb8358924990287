// Memory over time as SVG, in the manner of the other plots of the documentation.

import { MARGIN, STYLE, WIDTH } from '../../bench/report/plot.ts'
import type { Line, Point } from './linear-fit.ts'

export interface Curve {
  readonly label: string
  /** One of the classes of the style. */
  readonly className: string
  /** Seconds and MiB. */
  readonly points: readonly Point[]
  /** Drawn over the part that it was fitted to. */
  readonly line: Line
}

const HEIGHT = 320
const LEFT = 60
const BOTTOM = HEIGHT - 40
const TOP = 44
const GRID_LINES = 5
const CURVES = `
  polyline, .fit { fill: none; stroke-width: 1.5 } .fit { stroke-dasharray: 6 4 }
  .rss { stroke: #1f6feb } .heap { stroke: #d4a017 } .grid { stroke: #8c959f; stroke-opacity: .3 }
  @media (prefers-color-scheme: dark) { .rss { stroke: #58a6ff } .heap { stroke: #e3b341 } }`

export function plotMemory(title: string, curves: readonly Curve[], fitFrom: number): string {
  const all = curves.flatMap(({ points }) => points)
  const endX = Math.max(...all.map(({ x }) => x))
  const step = roundUp(Math.max(...all.map(({ y }) => y)) / GRID_LINES)
  const toX = (x: number) => round(LEFT + (x / endX) * (WIDTH - LEFT - MARGIN))
  const toY = (y: number) => round(BOTTOM - (y / (step * GRID_LINES)) * (BOTTOM - TOP))
  const grid = Array.from({ length: GRID_LINES + 1 }, (_, index) => {
    const y = toY(index * step)
    return (
      `<path class="grid" d="M${LEFT} ${y}H${WIDTH - MARGIN}"/>` +
      `<text class="quiet" x="${LEFT - 6}" y="${y + 4}" text-anchor="end">${index * step}</text>`
    )
  })
  const drawn = curves.map(({ label, className, points, line }) => {
    const path = points.map(({ x, y }) => `${toX(x)},${toY(y)}`).join(' ')
    const fit = `M${toX(fitFrom)} ${toY(line.at(fitFrom))}L${toX(endX)} ${toY(line.at(endX))}`
    const last = points.at(-1)?.y ?? 0
    return (
      `<polyline class="${className}" points="${path}"/><path class="fit ${className}" d="${fit}"/>` +
      `<text x="${WIDTH - MARGIN}" y="${toY(last) - 12}" text-anchor="end">${label}</text>`
    )
  })
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${HEIGHT}" role="img">
<title>${title}</title>
<style>${STYLE}${CURVES}
</style>
<text class="title" x="${MARGIN}" y="${MARGIN + 10}">${title}</text>
${grid.join('\n')}
${drawn.join('\n')}
<text class="quiet" x="${LEFT}" y="${HEIGHT - 18}">0</text>
<text class="quiet" x="${WIDTH - MARGIN}" y="${HEIGHT - 18}" text-anchor="end">${Math.round(endX)} s</text>
</svg>
`
}

/** To a number that reads well: 1, 2 or 5 and zeros. */
function roundUp(value: number): number {
  const power = 10 ** Math.floor(Math.log10(value))
  return power * ([1, 2, 5, 10].find((factor) => factor * power >= value) ?? 10)
}

const round = (value: number) => Math.round(value * 10) / 10
