// What the process of the service does: environment -> configuration -> dependencies -> app ->
// listen -> close on a signal.

import { setTimeout as delay } from 'node:timers/promises'
import type { FastifyInstance } from 'fastify'
import type { Logger } from 'pino'
import { buildApp } from './app.ts'
import type { Environment } from './config/environment.ts'
import {
  type Config,
  findConfigWarnings,
  loadConfig,
  type ServiceConfig,
} from './config/service-config.ts'
import { type EmbeddedMode, openEmbeddedMode } from './embedded/embedded-mode.ts'
import { drain, findAddresses, listenAt } from './http/server/listen.ts'
import { planListeners, toListenError } from './http/server/listener-plan.ts'
import { logEvent } from './ops/log-events.ts'
import { chooseLogFormat } from './ops/log-format.ts'
import { type LogOutput, openLogOutput } from './ops/log-output.ts'
import { createLogger } from './ops/logger.ts'
import { closeOnSignal, stopLimitMs } from './runtime/close-on-signal.ts'
import { openService, type Service } from './wiring/open-service.ts'
import { listServiceNotices } from './wiring/service-notices.ts'

/** What is open so far: a signal may come at any moment of the start. */
interface Running {
  embedded: EmbeddedMode | undefined
  service: Service | undefined
  apps: readonly FastifyInstance[]
  /** Set when the end has begun. */
  closing: Promise<void> | undefined
}

/**
 * Starts the service; from then on it ends the process by itself. Throws StartError, with nothing
 * left running, when it cannot.
 */
export async function serve(env: Environment, config: Config = loadConfig(env)): Promise<void> {
  const { format, notices } = chooseLogFormat(config.logFormat, {
    env,
    isTerminal: process.stdout.isTTY,
  })
  const output = openLogOutput((count) => logEvent(logger, 'log.lost', { count }), format)
  const logger = createLogger(config.logLevel, output, { concerns: config.logConcerns })
  const running: Running = { embedded: undefined, service: undefined, apps: [], closing: undefined }
  closeOnSignal({
    close: () => close(running, config.shutdownDelaySeconds),
    limitMs: stopLimitMs(config.shutdownDelaySeconds),
    log: (event, fields) => logEvent(logger, event, fields),
    drainLog: output.drained,
  })
  try {
    const service = await openService({
      config: await completeConfig(config, running),
      logger,
      applyEnv: env,
    })
    running.service = service
    running.apps = await listen(service, logger)
    for (const notice of [...findConfigWarnings(env, config), ...notices]) {
      logEvent(logger, 'service.notice', { notice })
    }
    await announce(service, running, { logger, output })
  } catch (error) {
    // After a signal the start fails by what is closed under it, which is no failure of its own.
    if (running.closing) return await running.closing
    await close(running, 0)
    throw error
  }
}

/** In embedded mode the configuration is that of the database, which is started here. */
async function completeConfig(config: Config, running: Running): Promise<ServiceConfig> {
  if (config.mode === 'server') return config
  running.embedded = await openEmbeddedMode(config)
  return running.embedded.config
}

async function listen(service: Service, logger: Logger): Promise<FastifyInstance[]> {
  const { host } = service.config
  const apps: FastifyInstance[] = []
  try {
    const addresses = await findAddresses(host)
    for (const listener of planListeners(service.config)) {
      const app = await buildApp(service, logger, listener.surface)
      apps.push(app)
      await listenAt(app, addresses, listener.port).catch((error: unknown) => {
        throw toListenError(error, host, listener)
      })
    }
    return apps
  } catch (error) {
    await Promise.all(apps.map((app) => app.close()))
    throw error
  }
}

async function announce(
  service: Service,
  running: Running,
  { logger, output }: { readonly logger: Logger; readonly output: LogOutput },
): Promise<void> {
  const { embedded } = running
  const { config, clients, health } = service
  const welcome = await embedded?.welcome(service)
  void embedded?.databaseExited.then(() => onDatabaseExit(running, logger))
  health.markStarted()
  for (const notice of listServiceNotices(service)) logEvent(logger, 'service.notice', { notice })
  logEvent(logger, 'service.started', {
    issuer: config.issuer,
    port: config.port,
    clients: clients.overview().count,
  })
  if (welcome !== undefined) output.write(`\n${welcome}\n`)
}

function onDatabaseExit({ closing }: Running, logger: Logger): void {
  if (closing) return
  logEvent(logger, 'service.crashed', { err: new Error('the embedded database has ended') })
  process.exit(1)
}

/** Closes what is open so far, once: a failing start and a signal may both ask for it. */
function close(running: Running, delaySeconds: number): Promise<void> {
  running.closing ??= closeInOrder(running, delaySeconds)
  return running.closing
}

/** The order is that of docs/semantics.md §13. */
async function closeInOrder(running: Running, delaySeconds: number): Promise<void> {
  running.service?.health.markDraining()
  // Without a listener no load balancer has to notice anything.
  if (running.apps.length > 0) await delay(delaySeconds * 1000)
  await Promise.all(running.apps.map(drain))
  await running.service?.close()
  await running.embedded?.stop()
}
