// The text format of Prometheus, version 0.0.4, as GET /metrics gives it: read strictly, so that what is
// something else is not taken for zeros.

/** One series at one moment. */
export interface MetricSample {
  readonly labels: ReadonlyMap<string, string>
  readonly value: number
}

/** The series of each name, in their order. */
export type MetricSamples = ReadonlyMap<string, readonly MetricSample[]>

/** What is not of the format; the message names the line and repeats nothing of it. */
export class MetricsTextError extends Error {
  override name = 'MetricsTextError'
}

/** Far more than a service of ours has. */
const SAMPLES_MAX = 50_000
const LABELS_MAX = 32

const METRIC_NAME = /[a-zA-Z_:][\w:]*/y
const LABEL_START = /([a-zA-Z_]\w*)="/y
const LABEL_PART = /[^"\\\n]+/y
/** A value, and perhaps the moment of it, which is not looked at. */
const REST = /[ \t]+([+-]?(?:\d[\d.]*(?:e[+-]?\d+)?|Inf|NaN))(?:[ \t]+-?\d+)?[ \t]*$/iy

const ESCAPED: Readonly<Record<string, string>> = { '\\': '\\', '"': '"', n: '\n' }

/** Throws MetricsTextError. Its time is in proportion to the text. */
export function parseMetricsText(text: string): MetricSamples {
  const found = new Map<string, MetricSample[]>()
  let count = 0
  for (const [index, line] of text.split('\n').entries()) {
    if (line === '' || line.startsWith('#')) continue
    count += 1
    const sample = count > SAMPLES_MAX ? undefined : parseSample(line)
    if (!sample) throw new MetricsTextError(`line ${index + 1} is no sample`)
    const others = found.get(sample.name)
    if (others) others.push(sample)
    else found.set(sample.name, [sample])
  }
  return found
}

function parseSample(line: string): (MetricSample & { readonly name: string }) | undefined {
  const name = match(METRIC_NAME, line, 0)?.[0]
  if (name === undefined) return undefined
  const isLabelled = line[name.length] === '{'
  const read = isLabelled ? parseLabels(line, name.length + 1) : { labels: NONE, end: name.length }
  if (!read) return undefined
  const value = match(REST, line, read.end)?.[1]
  return value === undefined ? undefined : { name, labels: read.labels, value: toNumber(value) }
}

const NONE: ReadonlyMap<string, string> = new Map()

interface ReadLabels {
  readonly labels: ReadonlyMap<string, string>
  /** Behind the brace. */
  readonly end: number
}

/** From behind the opening brace; a comma may stand before the closing one. */
function parseLabels(line: string, start: number): ReadLabels | undefined {
  const labels = new Map<string, string>()
  let at = start
  while (line[at] !== '}') {
    const [head, name] = match(LABEL_START, line, at) ?? []
    if (head === undefined || name === undefined || labels.size === LABELS_MAX) return undefined
    const value = parseLabelValue(line, at + head.length)
    if (!value || labels.has(name)) return undefined
    labels.set(name, value.text)
    at = value.end
    if (line[at] === ',') at += 1
    else if (line[at] !== '}') return undefined
  }
  return { labels, end: at + 1 }
}

/** From behind the opening quotation mark to behind the closing one. */
function parseLabelValue(line: string, start: number): { text: string; end: number } | undefined {
  let text = ''
  let at = start
  for (;;) {
    const part = match(LABEL_PART, line, at)?.[0] ?? ''
    text += part
    at += part.length
    if (line[at] === '"') return { text, end: at + 1 }
    const escaped = line[at] === '\\' ? ESCAPED[line[at + 1] ?? ''] : undefined
    if (escaped === undefined) return undefined
    text += escaped
    at += 2
  }
}

function match(sticky: RegExp, line: string, at: number): RegExpExecArray | null {
  sticky.lastIndex = at
  return sticky.exec(line)
}

function toNumber(text: string): number {
  return Number(text.replace(/inf$/i, 'Infinity'))
}
