// Snapshots of one process or several as the text that Prometheus reads.

import type {
  AggregatorRegistry,
  OpenMetricsContentType,
  PrometheusContentType,
  Registry,
} from 'prom-client'
import type { MetricSnapshot } from '../runtime/metric-snapshot.ts'

export type ExpositionFormat = 'prometheus' | 'openmetrics'

export interface Exposition {
  readonly contentType: string
  readonly text: string
}

type AnyRegistry = Registry<PrometheusContentType | OpenMetricsContentType>

interface PromClient {
  readonly AggregatorRegistry: typeof AggregatorRegistry
  readonly Registry: typeof Registry
}

/** Adds the snapshots of all processes up, by the rule of each metric, and formats them. */
export async function formatExposition(
  processes: readonly (readonly MetricSnapshot[])[],
  format: ExpositionFormat,
): Promise<Exposition> {
  const promClient = await import('prom-client')
  const { OPENMETRICS_CONTENT_TYPE, PROMETHEUS_CONTENT_TYPE } = promClient.Registry
  const isOpen = format === 'openmetrics'
  const registry: AnyRegistry = new promClient.Registry()
  registry.setContentType(isOpen ? OPENMETRICS_CONTENT_TYPE : PROMETHEUS_CONTENT_TYPE)
  for (const metric of await aggregate(promClient, processes)) register(registry, metric)
  return { contentType: registry.contentType, text: await registry.metrics() }
}

/**
 * What processes that have ended leave behind: their counters, which must not fall, in one snapshot.
 * What was only so at the moment has ended with them.
 */
export async function sumCounters(
  processes: readonly (readonly MetricSnapshot[])[],
): Promise<readonly MetricSnapshot[]> {
  const rising = processes.map((metrics) =>
    metrics.filter(({ type, aggregator }) => type !== 'gauge' && aggregator === 'sum'),
  )
  return await aggregate(await import('prom-client'), rising)
}

/** Its types ask for arrays that may be changed, which it does not do. */
async function aggregate(
  promClient: PromClient,
  processes: readonly (readonly MetricSnapshot[])[],
): Promise<readonly MetricSnapshot[]> {
  const added = promClient.AggregatorRegistry.aggregate(processes as unknown as object[])
  return (await added.getMetricsAsJSON()) as unknown as readonly MetricSnapshot[]
}

/** By the name that the registry gives it: OpenMetrics names a counter without `_total`. */
function register(registry: AnyRegistry, snapshot: MetricSnapshot): void {
  const metric = {
    name: snapshot.name,
    type: snapshot.type,
    get() {
      return { ...snapshot, name: this.name }
    },
  }
  registry.registerMetric(metric as unknown as Parameters<typeof registry.registerMetric>[0])
}
