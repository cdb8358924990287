// Several workers each send what they have counted and traced; what they send are the figures of /metrics.

import { test } from 'tap'
import { startWorkers } from '../scenes/workers-scene.ts'
import { serverEnvironment } from '../support/lineage-process.ts'
import { type ReceivedMetric, startOtlpReceiver } from '../support/otlp-receiver.ts'
import { openEmptyDatabase } from '../support/postgres.ts'

const AT_ONCE = { OTEL_METRIC_EXPORT_INTERVAL: '100', OTEL_BSP_SCHEDULE_DELAY: '1' }

test('each worker is an instance of its own to the collector', async (t) => {
  const receiver = await startOtlpReceiver(t)
  const { service } = await startWorkers(t, {
    ...serverEnvironment((await openEmptyDatabase(t)).url),
    ...AT_ONCE,
    OTEL_EXPORTER_OTLP_ENDPOINT: receiver.url,
    OTEL_RESOURCE_ATTRIBUTES: 'service.instance.id=pod-7',
  })
  const grant = { grant_type: 'client_credentials', client_id: 'nobody', client_secret: 'x' }
  const refused = 7
  for (let count = 0; count < refused; count += 1) {
    t.equal((await service.form('/token', grant)).status, 401)
  }
  /** The newest of each worker. */
  const newest = (metrics: readonly ReceivedMetric[], name: string): ReceivedMetric[] => {
    const byInstance = new Map(
      metrics
        .filter((metric) => metric.name === name)
        .map((metric) => [metric.resource['service.instance.id'], metric]),
    )
    return [...byInstance.values()]
  }
  const sum = (metrics: readonly ReceivedMetric[], outcome: string) =>
    newest(metrics, 'lineage_token_requests_total')
      .flatMap(({ points }) => points)
      .filter(({ labels }) => labels.outcome === outcome)
      .reduce((total, { value = 0 }) => total + value, 0)
  await receiver.until(({ metrics }) => sum(metrics, 'invalid_client') === refused)

  await t.test('under ids of their own', async (t) => {
    const { metrics, spans } = receiver
    const ids = newest(metrics, 'lineage_build_info').map(({ resource }) => resource)
    t.strictSame(ids.map((resource) => resource['service.instance.id']).sort(), [
      'pod-7-1',
      'pod-7-2',
    ])
    t.equal(new Set(ids.map((resource) => resource['process.pid'])).size, 2)
    t.ok(spans.every(({ resource }) => /^pod-7-[12]$/.test(`${resource['service.instance.id']}`)))
  })

  await t.test('with the names, the labels and the sums of /metrics', async (t) => {
    const text = await (await service.fetch('/metrics')).text()
    const shown = new Map(
      [...text.matchAll(/^# TYPE (\S+) (\S+)$/gm)].map(([, name = '', type = '']) => [name, type]),
    )
    const kinds = { counter: 'sum', gauge: 'gauge', histogram: 'histogram' } as const
    for (const [name, type] of shown) {
      const [metric] = newest(receiver.metrics, name)
      t.equal(metric?.kind, kinds[type as keyof typeof kinds], name)
      if (type === 'gauge') continue
      t.equal(metric?.temporality, 'AGGREGATION_TEMPORALITY_CUMULATIVE', name)
      if (type === 'counter') t.ok(metric?.isMonotonic, name)
    }
    const names = new Set(receiver.metrics.map(({ name }) => name))
    t.strictSame([...names].sort(), [...shown.keys()].sort())
    t.match(text, `outcome="invalid_client"} ${refused}`)
    const [histogram] = newest(receiver.metrics, 'lineage_http_request_duration_seconds')
    const point = histogram?.points[0]
    t.ok(point?.labels.route)
    t.equal(point?.bucketCounts?.length, Number(point?.explicitBounds?.length) + 1)
    t.equal(
      point?.bucketCounts?.reduce((total, count) => total + count, 0),
      point?.count,
      'each bucket has its own alone',
    )
  })

  service.signal('SIGTERM')
  t.strictSame(await service.exited, { code: 0, signal: null })
})
