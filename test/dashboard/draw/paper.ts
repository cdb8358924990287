// What every drawing shares: colours, text, units, and scales from values to places.

/** A place on the paper, in pixels. */
export interface Box {
  readonly x: number
  readonly y: number
  readonly width: number
  readonly height: number
}

/** As Grafana orders them, so that neighbours differ. */
const PALETTE = [
  ...['#73bf69', '#f2cc0c', '#5794f2', '#ff9830', '#f2495c', '#b877d9', '#8ab8ff', '#fade2a'],
  ...['#96d98d', '#ff7383', '#c0d8ff', '#ffb357', '#ca95e5', '#37872d', '#1f60c4', '#c4162a'],
]

const NAMED: Readonly<Record<string, string>> = {
  green: '#73bf69',
  orange: '#ff9830',
  red: '#f2495c',
}

export const INK = {
  paper: '#111217',
  panel: '#181b1f',
  line: '#2c2f36',
  text: '#ccccdc',
  quiet: '#8e8e99',
}

export function colourAt(index: number): string {
  return PALETTE[index % PALETTE.length] ?? INK.text
}

export function colourNamed(name: string): string {
  return NAMED[name] ?? INK.text
}

export function escapeXml(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('"', '&quot;')
}

export interface TextStyle {
  readonly size?: number
  readonly fill?: string
  readonly anchor?: 'start' | 'middle' | 'end'
  readonly weight?: number
}

export function drawText(x: number, y: number, text: string, style: TextStyle = {}): string {
  const { size = 11, fill = INK.text, anchor = 'start', weight = 400 } = style
  const place = `x="${round(x)}" y="${round(y)}" font-size="${size}" fill="${fill}"`
  return `<text ${place} text-anchor="${anchor}" font-weight="${weight}">${escapeXml(text)}</text>`
}

export function drawBox({ x, y, width, height }: Box, fill: string, more = ''): string {
  const place = `x="${round(x)}" y="${round(y)}" width="${round(width)}" height="${round(height)}"`
  return `<rect ${place} fill="${fill}" ${more}/>`
}

/** To a tenth of a pixel. */
export function round(value: number): number {
  return Math.round(value * 10) / 10
}

/** Shortened to what fits, at some six pixels a letter. */
export function fit(text: string, width: number): string {
  const letters = Math.max(1, Math.floor(width / 6))
  return text.length <= letters ? text : `${text.slice(0, letters - 1)}…`
}

const STEPS = [
  [1e9, 'G'],
  [1e6, 'M'],
  [1e3, 'k'],
] as const

/** A value as Grafana shows it in that unit. */
export function showValue(value: number, unit: string): string {
  if (Number.isNaN(value)) return '–'
  if (unit === 'percentunit') return `${threeDigits(value * 100)}%`
  if (unit === 's') return showSeconds(value)
  if (unit === 'bytes') return `${threeDigits(value / 2 ** 20)} MiB`
  const [size, letter] = STEPS.find(([one]) => Math.abs(value) >= one) ?? [1, '']
  const suffix = { reqps: ' req/s', ops: ' ops/s' }[unit] ?? ''
  return `${threeDigits(value / size)}${letter}${suffix}`
}

function showSeconds(value: number): string {
  if (Math.abs(value) >= 60) return `${threeDigits(value / 60)} min`
  if (Math.abs(value) >= 1 || value === 0) return `${threeDigits(value)} s`
  if (Math.abs(value) >= 1e-3) return `${threeDigits(value * 1e3)} ms`
  return `${threeDigits(value * 1e6)} µs`
}

function threeDigits(value: number): string {
  return String(Number(value.toPrecision(3)))
}
