// What tracing costs (`npm run bench -- tracing`): Lineage that sends its traces to a collector beside the same
// one that sends none, and beside one that records a tenth of them. Not part of the whole run.

import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { Scope } from '../test/support/scope.ts'
import { printRatios } from './metrics-cost.ts'
import { startLineage } from './subjects/lineage.ts'
import { listParticipants } from './subjects/token-server.ts'
import type { Servers } from './support/servers.ts'

const A_TENTH = { OTEL_TRACES_SAMPLER: 'traceidratio', OTEL_TRACES_SAMPLER_ARG: '0.1' }

export async function measureTracing(scope: Scope, servers: Servers): Promise<void> {
  const endpoint = await startSink(scope)
  const start = async (settings: Readonly<Record<string, string>>) => {
    const server = await startLineage(servers, settings)
    scope.teardown(() => server.process.stop())
    return listParticipants(server)
  }
  const without = await start({})
  const whole = await start({ OTEL_EXPORTER_OTLP_ENDPOINT: endpoint })
  const share = await start({ OTEL_EXPORTER_OTLP_ENDPOINT: endpoint, ...A_TENTH })
  await printRatios('all traces', whole, without)
  await printRatios('a tenth of all traces', share, without)
}

/** A collector that takes everything and looks at nothing. */
async function startSink(scope: Scope): Promise<string> {
  const server = createServer((request, response) => {
    request.resume().on('end', () => response.end())
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  scope.teardown(() => server.close())
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`
}
