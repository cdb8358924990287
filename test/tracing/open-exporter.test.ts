// What the log says of a collector: once that it fails, once what was lost when it works again.

import { test } from 'tap'
import { createLogger } from '../../src/ops/logger.ts'
import { openExporter } from '../../src/tracing/open-exporter.ts'
import { startReceiver } from '../support/webhook-receiver.ts'

const BYTES = new TextEncoder().encode('{}')

test('an outage is two lines however long it is, an overflow one a minute', async (t) => {
  const receiver = await startReceiver(t)
  const lines: object[] = []
  const write = (line: string) => {
    const { event, kind, problem, lost } = JSON.parse(line)
    lines.push({ event, kind, ...(problem && { problem }), ...(lost !== undefined && { lost }) })
  }
  const target = {
    url: new URL(receiver.url),
    protocol: 'http/json',
    headers: {},
    timeoutMs: 20_000,
    isCompressed: false,
    tls: {},
  } as const
  const exporter = openExporter('traces', target, createLogger('info', { write }))
  await exporter.send(BYTES, 3)
  t.strictSame(lines, [])

  receiver.answerWith((response) => response.writeHead(400).end())
  await exporter.send(BYTES, 3)
  exporter.lose(4)
  await exporter.send(BYTES, 5)
  t.strictSame(lines.splice(0), [
    { event: 'telemetry.failed', kind: 'traces', problem: 'status_400' },
  ])
  receiver.answerWith((response) => response.writeHead(200).end())
  await exporter.send(BYTES, 3)
  await exporter.send(BYTES, 3)
  t.strictSame(lines.splice(0), [{ event: 'telemetry.recovered', kind: 'traces', lost: 12 }])

  for (let count = 0; count < 3; count += 1) {
    exporter.lose(1)
    await exporter.send(BYTES, 3)
  }
  t.strictSame(lines, [
    { event: 'telemetry.failed', kind: 'traces', problem: 'queue_full', lost: 1 },
  ])
})
