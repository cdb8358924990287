// Metrics put together: where the figures that nobody counts are read, and how all of them become text.

import { jwtBearer } from '../grants/jwt-bearer.ts'
import { mfaOtp } from '../grants/mfa-otp.ts'
import { password } from '../grants/password.ts'
import type { KeyRing } from '../keys/key-ring.ts'
import { openCollector } from '../metrics/collect.ts'
import { openRequestCounts, type RequestCounts } from '../metrics/count-requests.ts'
import { type Exposition, type ExpositionFormat, formatExposition } from '../metrics/exposition.ts'
import type { Health } from '../ops/health.ts'
import type { MetricSnapshot } from '../runtime/metric-snapshot.ts'
import { readProgramVersion } from '../runtime/program-version.ts'
import type { HashingLanes } from '../users/hashing-lanes.ts'
import type { Foundation } from './foundation.ts'

export interface Metrics extends RequestCounts {
  /** What this process alone has to tell. */
  readonly collectMetrics: () => Promise<readonly MetricSnapshot[]>
  /** What its whole instance has, as text. */
  readonly exposeMetrics: (format: ExpositionFormat) => Promise<Exposition>
}

export interface MetricsOptions extends GaugeSources {
  readonly foundation: Foundation
  /** The path of the issuer, empty when it has none. */
  readonly basePath: string
}

export function openMetrics(options: MetricsOptions): Metrics {
  const { foundation, basePath } = options
  const { figures, group } = foundation
  readGauges(foundation, options)
  const { collect } = openCollector(figures)
  return {
    collectMetrics: collect,
    async exposeMetrics(format) {
      const own = await collect()
      return await formatExposition([own, ...(await group.metricsOfOthers(own))], format)
    },
    ...openRequestCounts(figures, {
      tokenRoute: `${basePath}/token`,
      loginGrants: new Set([password.name, mfaOtp.name, jwtBearer.name]),
    }),
  }
}

interface GaugeSources {
  readonly health: Pick<Health, 'readiness'>
  readonly keys: Pick<KeyRing, 'list'>
  readonly lanes: Pick<HashingLanes, 'load'>
  /** The name of the store of families. */
  readonly familiesIn: string
}

/** Each where it is known at the moment. */
function readGauges(
  { figures, database, audit, clock }: Foundation,
  { health, keys, lanes, familiesIn }: GaugeSources,
): void {
  figures.hashingActive.readFrom(() => [[lanes.load().active]])
  figures.hashingWaiting.readFrom(() => [[lanes.load().waiting]])
  figures.eventsWaiting.readFrom(() => [[audit.eventsWaiting()]])
  figures.poolConnections.readFrom(() => {
    const { size, busy, waiting } = database.load()
    return [
      [busy, 'busy'],
      [size - busy, 'idle'],
      [waiting, 'waiting'],
    ]
  })
  figures.signingKeyAge.readFrom(() => {
    const nowMs = clock()
    return keys
      .list()
      .map(({ kid, state, publishedAt }) => [(nowMs - Date.parse(publishedAt)) / 1_000, kid, state])
  })
  figures.dependencyUp.readFrom(async () => {
    const { dependencies } = await health.readiness()
    return Object.entries(dependencies).map(([name, state]) => [Number(state === 'ok'), name])
  })
  const version = readProgramVersion()
  figures.buildInfo.readFrom(() => [[1, version, process.version, familiesIn]])
}
