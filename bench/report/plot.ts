// The plot of the documentation, as SVG that reads well on light and on dark paper: what a request
// costs beside its floor, and what a login flood does to refreshes.

import type { Results } from '../results.ts'
import { SCENARIOS, type ScenarioName } from '../scenarios.ts'
import { toText } from './print.ts'

interface Bar {
  readonly label: string
  readonly subject: string
  readonly value: number
  readonly text: string
}

interface Group {
  readonly title: string
  readonly bars: readonly Bar[]
}

export const WIDTH = 760
const LABELS = 190
const BARS = 440
const BAR_HEIGHT = 13
const BAR_STEP = 16
const GROUP_GAP = 12
export const MARGIN = 16
const SCENARIOS_SHOWN: readonly ScenarioName[] = [
  'refresh',
  'client-credentials',
  'introspect',
  'verify',
  'revoke',
  'jwks',
  'metadata',
]
const SUBJECTS = ['lineage', 'oidc-provider', 'node-oauth']

export const STYLE = `
  text { font: 12px system-ui, sans-serif; fill: #24292f }
  .title { font-weight: 600; font-size: 14px }
  .quiet { fill: #656d76 }
  .axis { stroke: #656d76; stroke-dasharray: 3 3 }
  .lineage { fill: #1f6feb } .oidc-provider { fill: #d4a017 } .node-oauth { fill: #8c959f }
  @media (prefers-color-scheme: dark) {
    text { fill: #e6edf3 } .quiet { fill: #9198a1 } .axis { stroke: #9198a1 }
    .lineage { fill: #58a6ff } .oidc-provider { fill: #e3b341 } .node-oauth { fill: #6e7681 }
  }`

export function plotResults(results: Results): string {
  const cpu = panel(
    'Server CPU a request, as a multiple of the floor (dashed)',
    SCENARIOS_SHOWN.flatMap((name) => cpuGroup(results, name)),
    { top: MARGIN, mark: 1 },
  )
  const flood = panel(
    'p99 of refreshes in ms: alone, and beside 16 connections that log in',
    floodGroups(results),
    { top: cpu.bottom + 28 },
  )
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${flood.bottom + MARGIN}" role="img">
<title>Lineage beside its floor, oidc-provider and @node-oauth/oauth2-server</title>
<style>${STYLE}
</style>
${cpu.svg}
${flood.svg}
</svg>
`
}

function cpuGroup({ scenarios }: Results, name: ScenarioName): Group[] {
  const measures = scenarios[name]?.measures
  const floor = measures?.floor?.cpuMicros?.median
  if (!measures || floor === undefined) return []
  const bars = SUBJECTS.flatMap((subject) => {
    const cpu = measures[subject]?.cpuMicros?.median
    if (cpu === undefined) return []
    const value = cpu / floor
    return [{ label: subject, subject, value, text: `${value.toFixed(2)}  ·  ${toText(cpu)} µs` }]
  })
  return [{ title: SCENARIOS[name], bars }]
}

function floodGroups({ scenarios }: Results): Group[] {
  const measures = scenarios.flood?.measures ?? {}
  const bar = (title: string, subject: string, value = 0): Bar => {
    return { label: title, subject, value, text: toText(value) }
  }
  return SUBJECTS.filter((subject) => measures[subject]).map((subject) => ({
    title: subject,
    bars: [
      bar('alone', subject, measures[subject]?.aloneP99Ms?.median),
      bar('in the flood', subject, measures[subject]?.p99Ms?.median),
    ],
  }))
}

/** Bars of all groups on one scale; `mark` is where a dashed line goes. */
function panel(
  title: string,
  groups: readonly Group[],
  { top, mark }: { top: number; mark?: number },
): { svg: string; bottom: number } {
  const largest = Math.max(...groups.flatMap(({ bars }) => bars.map(({ value }) => value)))
  const scale = BARS / largest
  const parts = [`<text class="title" x="${MARGIN}" y="${top + 14}">${title}</text>`]
  const first = top + 30
  let y = first
  for (const { title: name, bars } of groups) {
    parts.push(`<text x="${MARGIN}" y="${y + 11}">${name}</text>`)
    for (const bar of bars) {
      parts.push(drawBar(bar, y, scale))
      y += BAR_STEP
    }
    y += GROUP_GAP
  }
  const bottom = y - GROUP_GAP
  if (mark !== undefined) {
    const x = round(LABELS + mark * scale)
    parts.push(`<path class="axis" d="M${x} ${first - 4}V${bottom}"/>`)
  }
  return { svg: parts.join('\n'), bottom }
}

function drawBar({ label, subject, value, text }: Bar, y: number, scale: number): string {
  const width = round(value * scale)
  const at = y + 11
  return [
    `<text class="quiet" x="${LABELS - 6}" y="${at}" text-anchor="end">${label}</text>`,
    `<rect class="${subject}" x="${LABELS}" y="${y}" width="${width}" height="${BAR_HEIGHT}" rx="2"/>`,
    `<text class="quiet" x="${round(LABELS + width + 6)}" y="${at}">${text}</text>`,
  ].join('')
}

const round = (value: number) => Math.round(value * 10) / 10
