// One run of Lineage that Prometheus watches: idle, under load of every kind, with an outage of Redis
// and what a failover loses; and what Prometheus answers the dashboard's queries about it.

import type { Scope } from '../support/scope.ts'
import { until } from '../support/until.ts'
import { fillIn, type Panel, readDashboard } from './dashboard-file.ts'
import type { Answer } from './draw/draw-dashboard.ts'
import { type Load, startLoad } from './load.ts'
import { type LoadScene, openLoadScene } from './load-scene.ts'
import { type Prometheus, RATE_INTERVAL, type Span, startPrometheus } from './prometheus.ts'

/** What is said of a moment is there in the next scrape; the machine may be busy. */
const SEEN_WITHIN_MS = 120_000

export interface WatchedRun {
  readonly scene: LoadScene
  readonly prometheus: Prometheus
  /** From the first scrape until now. */
  span(): Span
  /** Resolves when an expression is something other than nothing; until then `act` is done again. */
  seen(expr: string, act?: () => Promise<void>): Promise<void>
}

export async function startWatchedRun(t: Scope, program: string): Promise<WatchedRun> {
  const scene = await openLoadScene(t)
  const targets = scene.instances.map(({ url }) => new URL(url).host)
  const prometheus = await startPrometheus(t, program, targets)
  const fromSeconds = nowSeconds()
  const span = () => {
    const toSeconds = Math.max(nowSeconds(), fromSeconds + 1)
    return { fromSeconds, toSeconds, stepSeconds: 1 }
  }
  const seen: WatchedRun['seen'] = async (expr, act) => {
    const moment = () => ({ ...span(), fromSeconds: nowSeconds() })
    const isSomething = async () => {
      await act?.()
      return (await prometheus.ask(expr, moment())).length > 0
    }
    await until(expr, isSomething, SEEN_WITHIN_MS)
  }
  return { scene, prometheus, span, seen }
}

function nowSeconds(): number {
  return Math.floor(Date.now() / 1000)
}

/** Everything at once, then what goes wrong: one after the other, each until Prometheus has seen it. */
export async function putUnderLoad(t: Scope, { scene, seen }: WatchedRun): Promise<Load> {
  const { redis } = scene
  const load = startLoad(t, scene)
  await seen('sum(lineage_refresh_total{outcome="replayed"}) > 1')
  await seen('sum(lineage_throttled_total) > 0')
  await seen('sum(lineage_pool_wait_seconds_count) > 0', load.crowd)
  await seen('sum(lineage_refresh_total{outcome="behind"}) > 0', load.loseRefresh)
  await redis.stop()
  await seen('lineage_dependency_up{dependency="redis"} == 0')
  await redis.start()
  await seen('sum(lineage_dependency_up{dependency="redis"}) == 2')
  await redis.cli('FLUSHALL')
  await seen('sum(increase(lineage_journal_replayed_total[1m])) > 0')
  await seen('sum(lineage_webhook_deliveries_total{outcome="failed"}) > 0')
  return load
}

/** The panels with what Prometheus says to their queries about the span, by their id. */
export async function askPanels(
  { prometheus }: WatchedRun,
  span: Span,
): Promise<ReadonlyMap<number, readonly Answer[]>> {
  const ofPanel = async ({ targets = [] }: Panel): Promise<Answer[]> =>
    Promise.all(
      targets.map(async (query) => ({
        query,
        series: await prometheus.ask(fillIn(query.expr, RATE_INTERVAL), span),
      })),
    )
  const answers = new Map<number, readonly Answer[]>()
  for (const panel of readDashboard().panels) answers.set(panel.id, await ofPanel(panel))
  return answers
}

/** Whether there is a number in it: a series without one is what Grafana shows as no data. */
export function hasNumber({ series }: Answer): boolean {
  return series.some(({ values }) => values.some(([, text]) => Number.isFinite(Number(text))))
}
