// How `lineage top` looks: from figures to lines of a width and a number that fit. Nothing here knows a
// terminal but for its colours.

import type { Count, Outcome, Route, TopFigures } from './top-document.ts'
import { cut, item, paint, plain, type Span, section, shorten, type Tone } from './top-lines.ts'
import {
  formatBytes,
  formatDuration,
  formatNumber,
  formatRate,
  formatShare,
} from './top-numbers.ts'

export interface ViewSize {
  readonly columns: number
  /** Undefined: as many lines as there are. */
  readonly rows: number | undefined
}

export interface ViewOptions extends ViewSize {
  readonly isColoured: boolean
  /** What stands at the top beside the version: where it looks, and when it did. */
  readonly heading: string
  /** What went wrong at the last look; the figures are those of the one before. */
  readonly problem?: string
}

/** Narrower than this nothing can be read, and what does not fit is cut off. */
const COLUMNS_MIN = 20
const ROUTES_MIN = 3

/** No line is longer than the columns, and there are no more of them than rows. */
export function renderTop(figures: TopFigures, options: ViewOptions): string[] {
  const columns = Math.max(COLUMNS_MIN, options.columns)
  const above = [...headLines(figures, options), ...requestLines(figures, columns)]
  const below = belowLines(figures, columns)
  const { rows } = options
  const room = rows === undefined ? undefined : rows - above.length - below.length - 1
  const lines = [...above, ...routeLines(figures.routes, columns, room), ...below]
  return lines.slice(0, rows).map((line) => paint(cut(line, options.columns), options.isColoured))
}

function headLines({ version, seconds }: TopFigures, { heading, problem }: ViewOptions): Span[][] {
  const over = seconds === null ? '' : `  over ${formatDuration(seconds)}`
  const head: Span[] = [
    [`lineage ${plain(version)}  ${heading}`, 'plain'],
    [over, 'label'],
  ]
  return problem === undefined ? [head] : [head, [[problem, 'bad']]]
}

function requestLines({ requests }: TopFigures, columns: number): Span[][] {
  const { statusClasses, perSecond, p50Seconds, p99Seconds } = requests
  return section('requests', columns, [
    item('all', formatRate(perSecond)),
    ...statusClasses.map((outcome) =>
      item(
        outcome.name,
        formatRate(outcome.perSecond),
        outcome.name === '5xx' ? rise(outcome, 'bad') : 'plain',
      ),
    ),
    item('p50', formatDuration(p50Seconds)),
    item('p99', formatDuration(p99Seconds)),
  ])
}

interface Column {
  readonly head: string
  readonly toSpan: (route: Route) => Span
}

const CELL_WIDTH = 8
const NAME_WIDTH_MIN = 24

function classColumn(name: string, tone: Tone = 'plain'): Column {
  return {
    head: name,
    toSpan({ statusClasses, perSecond }) {
      const found = statusClasses.find((outcome) => outcome.name === name)
      if (found) return [formatNumber(found.perSecond), rise(found, tone)]
      return [formatNumber(perSecond === null ? null : 0), 'plain']
    },
  }
}

const COLUMNS: readonly Column[] = [
  { head: 'req/s', toSpan: ({ perSecond }) => [formatNumber(perSecond), 'plain'] },
  ...[classColumn('2xx'), classColumn('3xx'), classColumn('4xx'), classColumn('5xx', 'bad')],
  { head: 'p50', toSpan: ({ p50Seconds }) => [formatDuration(p50Seconds), 'plain'] },
  { head: 'p99', toSpan: ({ p99Seconds }) => [formatDuration(p99Seconds), 'plain'] },
  { head: 'total', toSpan: ({ total }) => [formatNumber(total), 'plain'] },
]
/** What a narrow terminal goes without, first to last. */
const DISPENSABLE = ['3xx', 'total', '2xx', 'p50', '4xx', 'p99', '5xx']

function columnsThatFit(columns: number): readonly Column[] {
  let shown = COLUMNS
  for (const head of DISPENSABLE) {
    if (NAME_WIDTH_MIN + shown.length * CELL_WIDTH <= columns) break
    shown = shown.filter((column) => column.head !== head)
  }
  return shown
}

/** As many routes as there is room for, the busiest first; three at least. */
function routeLines(routes: readonly Route[], columns: number, room: number | undefined): Span[][] {
  const shown = room === undefined ? routes : routes.slice(0, Math.max(ROUTES_MIN, room))
  if (shown.length === 0) return []
  const cells = columnsThatFit(columns)
  const names = shown.map(({ method, route }) => `${method} ${route}`)
  const longest = Math.max('route'.length, ...names.map((name) => name.length))
  const width = Math.min(longest, Math.max(0, columns - cells.length * CELL_WIDTH))
  const heads = cells.map(({ head }) => head.padStart(CELL_WIDTH)).join('')
  const hidden = routes.length - shown.length
  return [
    [[`${shorten('route', width)}${heads}${hidden === 0 ? '' : `  ${hidden} more`}`, 'label']],
    ...shown.map((route, index) => [
      [shorten(names[index] ?? '', width), 'plain'] as const,
      ...cells.map(({ toSpan }): Span => {
        const [text, tone] = toSpan(route)
        return [text.padStart(CELL_WIDTH), tone]
      }),
    ]),
  ]
}

/** Everything that has a line or two of its own, whatever happens. */
function belowLines(figures: TopFigures, columns: number): Span[][] {
  const { logins, refreshes, falseLogoutRate, tokens, familyEnds, throttled, webhooks } = figures
  const line = (label: string, items: readonly Span[][]) => section(label, columns, items)
  return [
    ...line('logins', outcomes(logins, { overloaded: 'odd', unavailable: 'bad' })),
    ...line('refreshes', [
      ...outcomes(refreshes, {
        replayed: 'bad',
        retried: 'odd',
        behind: 'odd',
        unavailable: 'bad',
      }),
      item(
        'false logouts',
        formatShare(falseLogoutRate),
        (falseLogoutRate ?? 0) > 0 ? 'bad' : 'plain',
      ),
    ]),
    ...line('tokens', tokens.filter(isMoving).map(tokenItem)),
    ...line('ended', outcomes(familyEnds.filter(isMoving), { reuse_detected: 'bad' })),
    ...line('throttled', outcomes(throttled, { pair: 'odd', account: 'odd', source: 'odd' })),
    ...resourceLines(figures, columns),
    ...line('webhooks', outcomes(webhooks, { failed: 'bad', retried: 'odd' })),
    ...line(
      'keys',
      figures.keys.map(({ kid, state, ageSeconds }) =>
        item(state, `${plain(kid)} ${formatDuration(ageSeconds)}`),
      ),
    ),
    ...processLines(figures, columns),
  ]
}

function resourceLines(figures: TopFigures, columns: number): Span[][] {
  const { hashing, pool, dependencies, events, journalReplayed } = figures
  const line = (label: string, items: readonly Span[][]) => section(label, columns, items)
  const waiting = (count: number) =>
    item('waiting', formatNumber(count), count > 0 ? 'odd' : 'plain')
  return [
    ...line('hashing', [
      item('active', formatNumber(hashing.active)),
      waiting(hashing.waiting),
      item('wait p99', formatDuration(hashing.waitP99Seconds)),
    ]),
    ...line('pool', [
      item('busy', formatNumber(pool.busy)),
      item('idle', formatNumber(pool.idle)),
      waiting(pool.waiting),
      item('wait p99', formatDuration(pool.waitP99Seconds)),
    ]),
    ...dependencies.flatMap(({ name, isUp, perSecond, p50Seconds, p99Seconds }) =>
      line(name, [
        [isUp === null ? ['?', 'odd'] : isUp ? ['up', 'good'] : ['DOWN', 'bad']],
        item('calls', formatRate(perSecond)),
        item('p50', formatDuration(p50Seconds)),
        item('p99', formatDuration(p99Seconds)),
      ]),
    ),
    ...line('events', [
      item('waiting', formatNumber(events.waiting)),
      item('dropped', formatRate(events.dropped.perSecond), rise(events.dropped, 'bad')),
      item('journal replayed', formatRate(journalReplayed.perSecond), rise(journalReplayed, 'odd')),
    ]),
  ]
}

function processLines({ process, families }: TopFigures, columns: number): Span[][] {
  return section('process', columns, [
    item('cpu', process.cpuShare === null ? '-' : `${Math.round(process.cpuShare * 100)} %`),
    item('memory', formatBytes(process.memoryBytes)),
    item('loop lag p99', formatDuration(process.lagP99Seconds)),
    item('up', formatDuration(process.upSeconds)),
    item('families in', plain(families)),
  ])
}

/** The outcomes that are seldom would fill lines with zeros. */
function isMoving({ perSecond, total }: Count): boolean {
  return perSecond === null ? total > 0 : perSecond > 0
}

function tokenItem({ grant, name, perSecond }: TopFigures['tokens'][number]): Span[] {
  return item(`${plain(grant)} ${plain(name)}`, formatRate(perSecond))
}

function outcomes(all: readonly Outcome[], tones: Readonly<Record<string, Tone>>): Span[][] {
  return all.map((outcome) =>
    item(
      outcome.name,
      formatRate(outcome.perSecond),
      rise(outcome, tones[outcome.name] ?? 'plain'),
    ),
  )
}

/** In that tone where it happens at the moment. */
function rise({ perSecond }: Count, tone: Tone): Tone {
  return perSecond !== null && perSecond > 0 ? tone : 'plain'
}
