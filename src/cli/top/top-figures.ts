// What `lineage top` shows, from two looks at the metrics of Lineage, whose names it knows.

import { compareScrapes, type MetricsChange } from './metrics-change.ts'
import type { Scrape } from './metrics-scrape.ts'
import type {
  Count,
  DependencyState,
  Outcome,
  ProcessState,
  Route,
  SigningKeyAge,
  Times,
  TopFigures,
} from './top-document.ts'

const HTTP = 'lineage_http_request_duration_seconds'
/** Outcomes with a token of a session that lived until then. */
const OF_LIVING = new Set(['rotated', 'kept', 'retried', 'behind', 'replayed'])

/** `nowSeconds` is the time of day, by which the age of the process is told. */
export function toTopFigures(
  before: Scrape | undefined,
  now: Scrape,
  nowSeconds: number,
): TopFigures {
  const change = compareScrapes(before, now)
  const build = change.gauges('lineage_build_info')[0]?.labels
  const refreshes = outcomesOf(change, 'lineage_refresh_total', 'outcome')
  return {
    version: build?.get('version') ?? '?',
    families: build?.get('families') ?? '?',
    seconds: change.seconds ?? null,
    requests: {
      ...countOf(change, `${HTTP}_count`),
      ...timesOf(change.histograms(HTTP, [])[0]),
      statusClasses: outcomesOf(change, `${HTTP}_count`, 'status_class').sort(byName),
    },
    routes: routesOf(change),
    tokens: tokensOf(change),
    logins: outcomesOf(change, 'lineage_logins_total', 'outcome'),
    refreshes,
    falseLogoutRate: shareOf(refreshes, 'replayed'),
    familyEnds: outcomesOf(change, 'lineage_family_ends_total', 'reason'),
    throttled: outcomesOf(change, 'lineage_throttled_total', 'budget'),
    hashing: {
      active: gaugeOf(change, 'lineage_hashing_active') ?? 0,
      waiting: gaugeOf(change, 'lineage_hashing_waiting') ?? 0,
      waitP99Seconds: timesOf(change.histograms('lineage_hashing_wait_seconds', [])[0]).p99Seconds,
    },
    pool: {
      busy: gaugeOf(change, 'lineage_pool_connections', { state: 'busy' }) ?? 0,
      idle: gaugeOf(change, 'lineage_pool_connections', { state: 'idle' }) ?? 0,
      waiting: gaugeOf(change, 'lineage_pool_connections', { state: 'waiting' }) ?? 0,
      waitP99Seconds: timesOf(change.histograms('lineage_pool_wait_seconds', [])[0]).p99Seconds,
    },
    dependencies: dependenciesOf(change),
    events: {
      waiting: gaugeOf(change, 'lineage_events_waiting') ?? 0,
      dropped: countOf(change, 'lineage_events_dropped_total'),
    },
    webhooks: outcomesOf(change, 'lineage_webhook_deliveries_total', 'outcome'),
    journalReplayed: countOf(change, 'lineage_journal_replayed_total'),
    keys: keysOf(change),
    process: processOf(change, nowSeconds),
  }
}

function routesOf(change: MetricsChange): Route[] {
  const classes = new Map<string, Outcome[]>()
  for (const found of change.counters(`${HTTP}_count`, ['route', 'method', 'status_class'])) {
    const [route, method, name = ''] = found.labels
    const key = JSON.stringify([route, method])
    const own = classes.get(key) ?? []
    own.push({ name, ...toCount(found) })
    classes.set(key, own)
  }
  return change
    .histograms(HTTP, ['route', 'method'])
    .map((found) => {
      const [route = '', method = ''] = found.labels
      const statusClasses = classes.get(JSON.stringify([route, method])) ?? []
      return {
        ...{ route, method, ...toCount(found), ...timesOf(found) },
        statusClasses: statusClasses.sort(byName),
      }
    })
    .sort(byRate)
}

/** The metrics have them by when they came first. */
function byName(one: Outcome, other: Outcome): number {
  return one.name < other.name ? -1 : 1
}

/** The busiest first. */
function byRate(one: Count, other: Count): number {
  return (other.perSecond ?? 0) - (one.perSecond ?? 0) || other.total - one.total
}

function tokensOf(change: MetricsChange): TopFigures['tokens'] {
  return change
    .counters('lineage_token_requests_total', ['grant', 'outcome'])
    .map((found) => ({
      grant: found.labels[0] ?? '',
      name: found.labels[1] ?? '',
      ...toCount(found),
    }))
    .sort(byRate)
}

function dependenciesOf(change: MetricsChange): DependencyState[] {
  const up = new Map(
    change
      .gauges('lineage_dependency_up')
      .map(({ labels, value }) => [labels.get('dependency') ?? '', value === 1]),
  )
  const calls = new Map(
    change
      .histograms('lineage_dependency_duration_seconds', ['dependency'])
      .map((found) => [found.labels[0] ?? '', found]),
  )
  return [...new Set([...up.keys(), ...calls.keys()])].map((name) => {
    const found = calls.get(name)
    const count = found ? toCount(found) : { total: 0, perSecond: change.seconds ? 0 : null }
    return { name, isUp: up.get(name) ?? null, ...count, ...timesOf(found) }
  })
}

function keysOf(change: MetricsChange): SigningKeyAge[] {
  return change.gauges('lineage_signing_key_age_seconds').map(({ labels, value }) => ({
    kid: labels.get('kid') ?? '',
    state: labels.get('state') ?? '',
    ageSeconds: value,
  }))
}

function processOf(change: MetricsChange, nowSeconds: number): ProcessState {
  const cpu = change.counters('process_cpu_seconds_total', [])[0]
  const startedAt = gaugeOf(change, 'process_start_time_seconds')
  return {
    cpuShare: cpu?.perSecond ?? null,
    memoryBytes: gaugeOf(change, 'process_resident_memory_bytes'),
    lagP99Seconds: gaugeOf(change, 'nodejs_eventloop_lag_p99_seconds'),
    upSeconds: startedAt === null ? null : Math.max(0, nowSeconds - startedAt),
  }
}

function shareOf(outcomes: readonly Outcome[], name: string): number | null {
  const rates = outcomes.filter((outcome) => OF_LIVING.has(outcome.name))
  const all = rates.reduce((sum, { perSecond }) => sum + (perSecond ?? 0), 0)
  const own = outcomes.find((outcome) => outcome.name === name)?.perSecond ?? 0
  return all > 0 ? own / all : null
}

function outcomesOf(change: MetricsChange, name: string, label: string): Outcome[] {
  return change
    .counters(name, [label])
    .map((found) => ({ name: found.labels[0] ?? '', ...toCount(found) }))
}

function countOf(change: MetricsChange, name: string): Count {
  const [found] = change.counters(name, [])
  return found ? toCount(found) : { total: 0, perSecond: change.seconds ? 0 : null }
}

function toCount({ total, perSecond }: { total: number; perSecond: number | undefined }): Count {
  return { total, perSecond: perSecond ?? null }
}

function timesOf(
  found: { p50Seconds: number | undefined; p99Seconds: number | undefined } | undefined,
): Times {
  return { p50Seconds: found?.p50Seconds ?? null, p99Seconds: found?.p99Seconds ?? null }
}

/** The one series with these labels. */
function gaugeOf(
  change: MetricsChange,
  name: string,
  labels: Readonly<Record<string, string>> = {},
): number | null {
  const found = change
    .gauges(name)
    .find((sample) =>
      Object.entries(labels).every(([key, text]) => sample.labels.get(key) === text),
    )
  return found && Number.isFinite(found.value) ? found.value : null
}
