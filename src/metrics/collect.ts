// All that this process has to tell: the figures of the service and those of the process itself.
// prom-client is loaded when somebody asks for the first time, because most starts are long before.

import type { MetricSnapshot } from '../runtime/metric-snapshot.ts'
import type { Figures } from './figures.ts'

export interface Collector {
  /** Rejects with what a gauge rejects with. */
  collect(): Promise<readonly MetricSnapshot[]>
}

export function openCollector(figures: Figures): Collector {
  let ofProcess: Promise<() => Promise<readonly MetricSnapshot[]>> | undefined
  return {
    async collect() {
      ofProcess ??= watchProcess()
      const readProcess = await ofProcess
      const own = await Promise.all(Object.values(figures).map((metric) => metric.snapshot()))
      return [...own, ...(await readProcess())]
    },
  }
}

/** CPU, memory, event loop, garbage collection and open files, as prom-client names them. */
async function watchProcess(): Promise<() => Promise<readonly MetricSnapshot[]>> {
  const { collectDefaultMetrics, Registry } = await import('prom-client')
  const register = new Registry()
  collectDefaultMetrics({ register })
  return async () => {
    const metrics = (await register.getMetricsAsJSON()) as unknown as readonly MetricSnapshot[]
    // Nothing is left out: of several processes, the youngest says when the last one began.
    return metrics.map((metric) =>
      metric.aggregator === 'omit' ? { ...metric, aggregator: 'max' } : metric,
    )
  }
}
