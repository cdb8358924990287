// What every other part of the service is opened on: the database and the clock that all instances
// share, the log, and the audit trail. None of it needs the database to be up.

import type { Logger } from 'pino'
import type { ServiceConfig } from '../config/service-config.ts'
import { type Database, openDatabase, POOL_SIZE } from '../database/database.ts'
import { type DatabaseClock, openDatabaseClock } from '../database/database-clock.ts'
import { type Figures, openFigures } from '../metrics/figures.ts'
import { type OutageLog, openOutageLog } from '../ops/outage-log.ts'
import { openQueueLog } from '../ops/queue-log.ts'
import { openFailureReport, type ReportFailure } from '../ops/report-failure.ts'
import { type TraceCall, UNTRACED } from '../outbound/trace-call.ts'
import type { Clock } from '../runtime/clock.ts'
import { ALONE, type ProcessGroup, shareOf } from '../runtime/process-group.ts'
import type { RequestTracing, Tracing } from '../tracing/tracing.ts'
import { type Audit, openAudit } from './open-audit.ts'
import { openWatches, type Watches } from './open-watches.ts'

export interface FoundationOptions {
  readonly config: ServiceConfig
  readonly logger: Logger
  /** Instead of PostgreSQL's, which all instances share. */
  readonly clock?: Clock
  /** The processes that this one shares the instance with; by itself by default. */
  readonly group?: ProcessGroup
}

/** Where calls are traced. */
export interface TracedBy {
  readonly tracing?: Tracing | undefined
}

/** Below this a process would be short of connections while others of its group have some to spare. */
export const POOL_SIZE_MIN = 4

export interface Foundation extends Required<FoundationOptions> {
  readonly database: Database
  readonly databaseClock: DatabaseClock
  /** For dating the end of all sessions of a client: never behind `clock` of any instance. */
  readonly latest: Clock
  readonly outages: OutageLog
  readonly report: ReportFailure
  readonly audit: Audit
  /** What is counted, and who is told of calls and waits. */
  readonly figures: Figures
  readonly watches: Watches
  readonly traceCall: TraceCall
  /** Undefined where requests are not traced. */
  readonly requestTracing: RequestTracing | undefined
}

export function openFoundation({
  config,
  logger,
  clock,
  group = ALONE,
  tracing,
}: FoundationOptions & TracedBy): Foundation {
  const outages = openOutageLog(logger)
  const report = openFailureReport(logger, outages)
  const poolSize = shareOf(POOL_SIZE, group, POOL_SIZE_MIN)
  const figures = openFigures()
  const watches = openWatches(figures, tracing?.watches)
  const traceCall = tracing?.traceCall ?? UNTRACED
  const database = openDatabase(config.databaseUrl, {
    poolSize,
    watch: watches.postgresql,
    onCongested: () => queueLog.congested(),
    onWaited: (seconds) => figures.poolWait.observe(seconds),
  })
  const queueLog = openQueueLog(logger, database.load)
  const databaseClock = openDatabaseClock(database)
  const { now, latest } = clock ? { now: clock, latest: clock } : databaseClock
  const audit = openAudit({
    ...{ config, database, logger, report, clock: now, group, figures, traceCall },
  })
  return {
    ...{ config, logger, clock: now, latest, group },
    ...{ database, databaseClock, outages, report, audit, figures, watches, traceCall },
    requestTracing: tracing?.requests,
  }
}
