// What `lineage top` makes of two looks at the metrics: the figures, and the lines at any size.

import { test } from 'tap'
import { toTopFigures } from '../../../src/cli/top/top-figures.ts'
import {
  formatBytes,
  formatDuration,
  formatNumber,
  formatShare,
} from '../../../src/cli/top/top-numbers.ts'
import { renderTop, type ViewOptions } from '../../../src/cli/top/top-view.ts'
import { metricsText, scrapeOf } from '../../scenes/metrics-scene.ts'

const NOW_SECONDS = 8_200

function figuresOf(before: string | undefined, now: string) {
  const earlier = before === undefined ? undefined : scrapeOf(0, before)
  return toTopFigures(earlier, scrapeOf(2, now), NOW_SECONDS)
}

const FIGURES = figuresOf(metricsText(100), metricsText(300))
const VIEW: ViewOptions = {
  ...{ columns: 110, rows: undefined, isColoured: false, heading: 'http://here/metrics' },
}

test('figures are rates between the looks, and what is so now', async (t) => {
  t.match(FIGURES, {
    ...{ version: '1.2.3', families: 'redis', seconds: 2, falseLogoutRate: 0.1 },
    requests: { total: 300, perSecond: 100, p50Seconds: 0.05 },
    routes: [
      { route: '/token', method: 'POST', perSecond: 100, statusClasses: [{ perSecond: 90 }, {}] },
    ],
    tokens: [
      { grant: 'refresh_token', name: 'ok', perSecond: 90 },
      { grant: 'refresh_token', name: 'invalid_grant', perSecond: 10 },
    ],
    refreshes: [{ perSecond: 90 }, { perSecond: 10 }, { name: 'invalid', total: 7, perSecond: 0 }],
    hashing: { active: 1, waiting: 3 },
    pool: { busy: 2, idle: 7, waiting: 0, waitP99Seconds: null },
    dependencies: [
      { name: 'postgresql', isUp: true, perSecond: 0, p99Seconds: null },
      { name: 'redis', isUp: false },
    ],
    keys: [{ kid: 'key-1', state: 'active', ageSeconds: 86_400 }],
    process: { cpuShare: 0, memoryBytes: 104_857_600, lagP99Seconds: 0.012, upSeconds: 7_200 },
  })
})

test('of one look alone there are totals and no rates', async (t) => {
  const figures = figuresOf(undefined, metricsText(100))
  t.match(figures, {
    seconds: null,
    falseLogoutRate: null,
    requests: { total: 100, perSecond: null },
  })
  t.match(renderTop(figures, VIEW).join('\n'), /^requests +all - +2xx - +4xx - +p50 - +p99 -$/m)
})

test('a service that was started anew has no negative rates', async (t) => {
  const figures = figuresOf(metricsText(100_000), metricsText(40))
  t.match(figures, { requests: { perSecond: 20 }, falseLogoutRate: 0.1 })
})

test('a false logout is one of the refreshes with a token of a session that lived', async (t) => {
  const rate = (...lines: string[]) =>
    figuresOf(metricsText(0), metricsText(0, lines)).falseLogoutRate
  t.equal(rate(), null, 'none at all')
  t.equal(rate('lineage_refresh_total{outcome="unavailable"} 9'), null)
})

test('the lines say what is to be seen', async (t) => {
  const text = renderTop(FIGURES, VIEW).join('\n')
  t.match(text, /^lineage 1\.2\.3 {2}http:\/\/here\/metrics {2}over 2 s$/m)
  t.match(text, /^requests +all 100\/s +2xx 90\/s +4xx 10\/s +p50 50 ms +p99 99 ms$/m)
  t.match(text, /^route +req\/s +2xx +3xx +4xx +5xx +p50 +p99 +total$/m)
  t.match(text, /^POST \/token +100 +90 +0 +10 +0 +50 ms +99 ms +300$/m)
  t.match(text, /^refreshes +rotated 90\/s +replayed 10\/s +invalid 0 +false logouts 10 %$/m)
  t.match(text, /^ended +reuse_detected 10\/s$/m)
  t.match(text, /^hashing +active 1 +waiting 3 +wait p99 -$/m)
  t.match(text, /^redis +DOWN +calls 0/m)
  t.match(text, /^keys +active key-1 24 h$/m)
  t.match(
    text,
    /^process +cpu 0 % +memory 100 MiB +loop lag p99 12 ms +up 2 h +families in redis$/m,
  )
})

test('at any size no line is too long and no line too many', async (t) => {
  for (const columns of [1, 10, 20, 40, 70, 80, 200]) {
    for (const rows of [1, 5, 24, 50]) {
      const lines = renderTop(FIGURES, { ...VIEW, columns, rows, problem: 'it is away' })
      t.ok(lines.length <= rows, `${columns} x ${rows}`)
      t.ok(
        lines.every((line) => line.length <= columns),
        `${columns} x ${rows}`,
      )
      t.ok(lines.length > 0)
    }
  }
})

test('on a narrow terminal items move to further lines, and the table leaves columns out', async (t) => {
  const lines = renderTop(FIGURES, { ...VIEW, columns: 48 })
  t.match(
    lines.join('\n'),
    /^refreshes +rotated 90\/s +replayed 10\/s\n {13}invalid 0 +false logouts 10 %$/m,
  )
  t.match(lines.join('\n'), /^route +req\/s +5xx +p99$/m)
  t.match(lines.join('\n'), /families in redis/, 'nothing of it is lost')
})

test('routes share the room that the rest leaves, three at least, and the others are counted', async (t) => {
  const many = Array.from({ length: 40 }, (_, index) => {
    const labels = `route="/r${index}",method="GET",status_class="2xx"`
    return `lineage_http_request_duration_seconds_count{${labels}} ${index}`
  })
  const figures = figuresOf(metricsText(0), metricsText(0, many))
  const shown = (rows: number | undefined) => {
    const lines = renderTop(figures, { ...VIEW, rows })
    return { lines, routes: lines.filter((line) => /^GET \/r\d/.test(line)) }
  }
  t.match(shown(undefined).routes[0], /^GET \/r39 /, 'the busiest first')
  t.equal(shown(undefined).routes.length, 40)
  const some = shown(30)
  t.equal(some.lines.length, 30, 'all of the room is used')
  t.match(some.lines.at(-1), /^process/)
  t.match(some.lines.join('\n'), new RegExp(`${41 - some.routes.length} more`))
  t.equal(shown(10).routes.length, 3)
})

test('a problem is told above the figures of before', async (t) => {
  const lines = renderTop(FIGURES, { ...VIEW, problem: 'ECONNREFUSED' })
  t.equal(lines[1], 'ECONNREFUSED')
  t.match(lines[2], /^requests +all 100\/s/)
})

test('colours mark what is wrong, and end with the word', async (t) => {
  const text = renderTop(FIGURES, { ...VIEW, isColoured: true }).join('\n')
  t.match(text, '\u001b[31mDOWN\u001b[0m')
  t.match(text, '\u001b[32mup\u001b[0m')
  t.match(text, '\u001b[31m10 %\u001b[0m')
  t.match(text, '\u001b[33m3\u001b[0m')
  const count = (part: string) => text.split(part).length - 1
  t.equal(count('\u001b[0m') * 2, count('\u001b['), 'each is followed by its end')
  t.notMatch(renderTop(FIGURES, VIEW).join(''), '\u001b')
})

test('labels of whoever answers do not steer the terminal', async (t) => {
  const odd = '\u001b]0;x\u0007\u009b2J\u202e\u{1f600}'
  const extra = [
    `lineage_token_requests_total{grant="${odd}",outcome="${odd}"} 5`,
    `lineage_logins_total{outcome="${odd}"} 5`,
    `lineage_dependency_up{dependency="${odd}"} 1`,
    `lineage_signing_key_age_seconds{kid="${odd}",state="${odd}"} 1`,
    `lineage_http_request_duration_seconds_count{route="${odd}",method="${odd}",status_class="${odd}"} 5`,
  ]
  const now = metricsText(0, extra).replace('1.2.3', odd).replace('"redis"', `"${odd}"`)
  const lines = renderTop(figuresOf(metricsText(0), now), VIEW)
  for (const line of lines) t.match(line, /^[\x20-\x7e]*$/)
})

test('numbers are short and never lie about nothing', async (t) => {
  t.strictSame([null, 0, 0.001, 0.25, 2, 12.34, 340.4, 12_345, 2e6].map(formatNumber), [
    ...['-', '0', '<0.01', '0.25', '2', '12.3', '340', '12.3k', '2M'],
  ])
  t.strictSame([null, 0, 0.0004, 0.012, 1.5, 90, 300, 7_200, 400_000].map(formatDuration), [
    ...['-', '0 ms', '0.4 ms', '12 ms', '1.5 s', '90 s', '5 m', '2 h', '4 d'],
  ])
  t.strictSame([null, 0, 0.00001, 0.0123, 1].map(formatShare), [
    '-',
    '0 %',
    '<0.01 %',
    '1.23 %',
    '100 %',
  ])
  t.strictSame([null, 1_048_576, 2 ** 34].map(formatBytes), ['-', '1 MiB', '16.0 GiB'])
})
