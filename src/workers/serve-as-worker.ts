// What a worker does: environment -> configuration -> service -> connections that the supervising
// process hands over -> close when that says so, or has ended.

import type { Socket } from 'node:net'
import type { FastifyInstance } from 'fastify'
import type { Logger } from 'pino'
import { buildApp } from '../app.ts'
import type { Environment } from '../config/environment.ts'
import type { Config } from '../config/service-config.ts'
import { drain, takeConnections } from '../http/server/listen.ts'
import { planListeners } from '../http/server/listener-plan.ts'
import { logEvent } from '../ops/log-events.ts'
import { type LogOutput, openLogOutput } from '../ops/log-output.ts'
import { createLogger } from '../ops/logger.ts'
import { exitOnCrash, stopLimitMs } from '../runtime/close-on-signal.ts'
import { describeFailure } from '../runtime/describe-failure.ts'
import type { ProcessGroup } from '../runtime/process-group.ts'
import { openService, type Service } from '../wiring/open-service.ts'
import { listServiceNotices } from '../wiring/service-notices.ts'
import { type Intake, openIntake } from './intake.ts'
import { type MetricsQuestion, openMetricsQuestion } from './metrics-question.ts'
import { ownWorkerNumber } from './worker-count.ts'
import type { FromWorker, ToWorker } from './worker-messages.ts'

const LAST_LINES_MS = 1_000

interface Worker {
  readonly env: Environment
  readonly config: Config
  readonly logger: Logger
  readonly output: LogOutput
  readonly group: ProcessGroup
  readonly question: MetricsQuestion
  service: Service | undefined
  apps: readonly FastifyInstance[]
  /** One for each listener of the plan. */
  intakes: readonly Intake[]
  keepsHouse: boolean
  /** Set when the end has begun. */
  closing: Promise<void> | undefined
}

/** Waits for what the supervising process says, as one of `size`; the process ends by itself. */
export function serveAsWorker(env: Environment, config: Config, size: number): void {
  const output = openLogOutput((count) => logEvent(logger, 'log.lost', { count }))
  const logger = createLogger(config.logLevel, output, {
    base: { worker: ownWorkerNumber() ?? 0 },
    concerns: config.logConcerns,
  })
  const question = openMetricsQuestion(tell)
  const group: ProcessGroup = {
    size,
    keepsHouse: () => worker.keepsHouse,
    announceDeliveries: () => tell({ kind: 'deliveries-due' }),
    metricsOfOthers: question.ask,
  }
  const worker: Worker = {
    ...{ env, config, logger, output, group, question },
    service: undefined,
    apps: [],
    intakes: [],
    keepsHouse: false,
    closing: undefined,
  }
  exitOnCrash((event, fields) => logEvent(logger, event, fields))
  process.on('message', (message: ToWorker, socket?: Socket) => obey(worker, message, socket))
  process.on('disconnect', () => {
    // The one that supervises has ended, and with it the ports.
    setTimeout(() => process.exit(1), stopLimitMs(0))
    end(worker)
  })
  tell({ kind: 'loaded' })
}

function obey(worker: Worker, message: ToWorker, socket: Socket | undefined): void {
  const { service } = worker
  switch (message.kind) {
    case 'open':
      void open(worker, message)
      break
    case 'serve':
      service?.health.markStarted()
      break
    case 'keep-house':
      worker.keepsHouse = true
      break
    case 'connection':
      takeConnection(worker.intakes[message.listener], socket)
      break
    case 'deliver':
      service?.deliverDue().catch(() => {})
      break
    case 'tell-metrics':
      service?.collectMetrics().then(
        (metrics) => tell({ kind: 'metrics', metrics }),
        () => {},
      )
      break
    case 'metrics-of-others':
      worker.question.answered(message.metrics)
      break
    case 'drain':
      service?.health.markDraining()
      break
    case 'close':
      end(worker)
      break
  }
}

function takeConnection(intake: Intake | undefined, socket: Socket | undefined): void {
  // Before anything is read of it: until then it could still go to another worker.
  tell({ kind: 'taken', isFull: socket !== undefined && (intake?.fillsUp() ?? false) })
  if (socket) intake?.take(socket)
}

async function open(
  worker: Worker,
  { isReplacement, appliesFiles }: Extract<ToWorker, { kind: 'open' }>,
): Promise<void> {
  try {
    await openAll(worker, appliesFiles)
  } catch (error) {
    // After a signal the start fails by what is closed under it, which is no failure of its own.
    if (worker.closing) return
    if (isReplacement) logEvent(worker.logger, 'service.crashed', { err: error })
    await worker.output.drained(LAST_LINES_MS)
    tell({ kind: 'failed', text: describeFailure(error) }, () => process.exit(1))
  }
}

async function openAll(worker: Worker, appliesFiles: boolean): Promise<void> {
  const { env, config, logger } = worker
  if (config.mode === 'embedded') throw new Error('embedded mode is one process')
  const service = await openService({
    ...{ config, logger, group: worker.group },
    ...(appliesFiles && { applyEnv: env }),
  })
  worker.service = service
  const apps = await Promise.all(
    planListeners(config).map(({ surface }) => buildApp(service, logger, surface)),
  )
  const { max } = service.connections
  worker.intakes = apps.map((app, listener) =>
    openIntake({ max, take: takeConnections(app), onRoom: () => tell({ kind: 'room', listener }) }),
  )
  worker.apps = apps
  await Promise.all(apps.map((app) => app.ready()))
  const clients = service.clients.overview().count
  tell({ kind: 'opened', clients, notices: listServiceNotices(service) })
}

function end(worker: Worker): void {
  const exit = async (code: 0 | 1) => {
    await worker.output.drained(LAST_LINES_MS)
    process.exit(code)
  }
  worker.closing ??= close(worker).then(
    () => exit(0),
    (err: unknown) => {
      logEvent(worker.logger, 'service.stop_failed', { err })
      return exit(1)
    },
  )
}

async function close({ service, apps }: Worker): Promise<void> {
  service?.health.markDraining()
  await Promise.all(apps.map(drain))
  await service?.close()
}

/** `onSent` is called as well where nobody hears it any more. */
function tell(message: FromWorker, onSent = () => {}): void {
  if (process.connected) process.send?.(message, undefined, undefined, () => onSent())
  else onSent()
}
