// Traces and metrics by OTLP, joined to the service where an address is configured. Elsewhere nothing of
// OpenTelemetry is loaded (test/process/telemetry-off.test.ts).

import type { Logger } from 'pino'
import type { ServiceConfig } from '../config/service-config.ts'
import type { MetricSnapshot } from '../runtime/metric-snapshot.ts'
import { readProgramVersion } from '../runtime/program-version.ts'
import type { Telemetry } from '../tracing/open-telemetry.ts'

export interface TelemetrySurroundings {
  readonly config: Pick<ServiceConfig, 'telemetry'>
  readonly logger: Logger
}

/** Undefined where nothing is exported. */
export async function loadTelemetry({
  config,
  logger,
}: TelemetrySurroundings): Promise<Telemetry | undefined> {
  const { telemetry: settings } = config
  if (!settings) return undefined
  const { openTelemetry } = await import('../tracing/open-telemetry.ts')
  // What every line of a worker's log holds.
  const { worker = 0 } = logger.bindings() as { worker?: number }
  return openTelemetry({ settings, logger, worker, version: readProgramVersion() })
}

/** What is needed of a service. */
interface Exporting {
  readonly collectMetrics: () => Promise<readonly MetricSnapshot[]>
  close(): Promise<void>
}

/** The same service, whose figures are sent as well, and whose last ones are sent before it closes. */
export function exportFigures<S extends Exporting>(service: S, telemetry: Telemetry): S {
  telemetry.sendMetrics(service.collectMetrics)
  return {
    ...service,
    async close() {
      // While the stores can still be asked how they are.
      await telemetry.endMetrics()
      await service.close()
      await telemetry.close()
    },
  }
}
