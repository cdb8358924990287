// A collector that is away, that hangs or that refuses costs no request anything, is told of once, and holds
// up no stop.

import type { AddressInfo } from 'node:net'
import { createServer } from 'node:net'
import { type Test, test } from 'tap'
import { logIn } from '../support/app.ts'
import {
  type LineageProcess,
  refresh,
  serverEnvironment,
  startLineage,
} from '../support/lineage-process.ts'
import { startOtlpReceiver } from '../support/otlp-receiver.ts'
import { openTestDatabase } from '../support/postgres.ts'
import { until } from '../support/until.ts'

const AT_ONCE = {
  OTEL_BSP_SCHEDULE_DELAY: '1',
  OTEL_BSP_MAX_QUEUE_SIZE: '20',
  OTEL_BSP_MAX_EXPORT_BATCH_SIZE: '10',
  OTEL_METRIC_EXPORT_INTERVAL: '100',
  OTEL_EXPORTER_OTLP_TIMEOUT: '200',
}

async function start(t: Test, endpoint: string): Promise<LineageProcess> {
  const { url } = await openTestDatabase(t)
  const env = { ...serverEnvironment(url), ...AT_ONCE, OTEL_EXPORTER_OTLP_ENDPOINT: endpoint }
  return await startLineage(t, env)
}

/** Enough for spans to find no room. */
async function serve(t: Test, service: LineageProcess): Promise<void> {
  const client = await service.makeClient({})
  let { refresh_token: token } = await logIn(service, client, await service.makeUser())
  for (let count = 0; count < 30; count += 1) {
    const answer = await refresh(service, client, token)
    t.equal(answer.status, 200)
    token = ((await answer.json()) as { refresh_token: string }).refresh_token
  }
}

function failures(service: LineageProcess): unknown[] {
  return service.log('telemetry.failed').map(({ kind, problem }) => `${kind} ${problem}`)
}

test('one that is away is told of once, and told of again when it is back', async (t) => {
  const gone = await startOtlpReceiver(t)
  await gone.close()
  const service = await start(t, gone.url)
  await serve(t, service)
  await until('both failures', () => failures(service).length >= 2)
  await serve(t, service)
  t.strictSame(failures(service).sort(), ['metrics ECONNREFUSED', 'traces ECONNREFUSED'])
  t.notOk(service.log('telemetry.failed').some((line) => JSON.stringify(line).includes(gone.url)))

  const back = await startOtlpReceiver(t, gone.port)
  await service.fetch('/livez')
  const recovered = await until('both recoveries', () => {
    const lines = service.log('telemetry.recovered')
    return lines.length >= 2 && lines
  })
  const ofTraces = recovered.find(({ kind }) => kind === 'traces')
  t.ok(Number(ofTraces?.lost) > 20, `lost ${ofTraces?.lost}`)
  t.equal(recovered.find(({ kind }) => kind === 'metrics')?.lost, 0)
  await back.until(({ spans }) => spans.some(({ name }) => name === 'GET /livez'))
  service.signal('SIGTERM')
  t.strictSame(await service.exited, { code: 0, signal: null })
  t.strictSame(service.stderr, [])
})

test('one that takes a request and never answers holds up neither answers nor the stop', async (t) => {
  const hanging = createServer(() => {})
  await new Promise<void>((resolve) => hanging.listen(0, '127.0.0.1', resolve))
  t.teardown(() => hanging.close())
  const { port } = hanging.address() as AddressInfo
  const service = await start(t, `http://127.0.0.1:${port}`)
  await serve(t, service)
  await until('both failures', () => failures(service).length >= 2)
  t.strictSame(failures(service).sort(), ['metrics timeout', 'traces timeout'])
  service.signal('SIGTERM')
  t.strictSame(await service.exited, { code: 0, signal: null }, 'within its limits')
  t.strictSame(service.log('service.stop_timed_out'), [])
})

test('one that refuses is told of by its status, and is not asked the same again', async (t) => {
  const receiver = await startOtlpReceiver(t)
  let asked = 0
  receiver.answerWith((response) => {
    asked += 1
    response.writeHead(401).end('Bearer secret-of-the-collector')
    return false
  })
  const service = await start(t, receiver.url)
  await until('both failures', () => failures(service).length >= 2)
  t.strictSame(failures(service).sort(), ['metrics status_401', 'traces status_401'])
  t.ok(asked >= 2)
  t.notMatch(service.stdout.join(), 'secret-of-the-collector')
})
