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
import { GRANTS } from './grants/grants.ts'
import { findAddresses, listenAt } from './http/server/listen.ts'
import { logEvent } from './ops/log-events.ts'
import { type LogOutput, openLogOutput } from './ops/log-output.ts'
import { createLogger } from './ops/logger.ts'
import { closeOnSignal, DRAIN_MS, stopLimitMs } from './runtime/close-on-signal.ts'
import { StartError } from './runtime/start-error.ts'
import { openService, type Service } from './wiring/open-service.ts'

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
  const output = openLogOutput((count) => logEvent(logger, 'log.lost', { count }))
  const logger = createLogger(config.logLevel, output)
  const running: Running = { embedded: undefined, service: undefined, apps: [], closing: undefined }
  closeOnSignal({
    close: () => close(running, config.shutdownDelaySeconds),
    limitMs: stopLimitMs(config.shutdownDelaySeconds),
    log: (event, fields) => logEvent(logger, event, fields),
    drainLog: output.drained,
  })
  try {
    const service = await openService({ config: await completeConfig(config, running), logger })
    running.service = service
    running.apps = await listen(service, logger)
    for (const notice of findConfigWarnings(env, config)) {
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

/** `LINEAGE_OPS_PORT` moves management and probes to a listener of their own. */
async function listen(service: Service, logger: Logger): Promise<FastifyInstance[]> {
  const { port, host, opsPort } = service.config
  const plan =
    opsPort === undefined
      ? [{ surface: 'all', port, setting: 'PORT' } as const]
      : [
          { surface: 'public', port, setting: 'PORT' } as const,
          { surface: 'operations', port: opsPort, setting: 'LINEAGE_OPS_PORT' } as const,
        ]
  const apps: FastifyInstance[] = []
  try {
    const addresses = await findAddresses(host)
    for (const { surface, port, setting } of plan) {
      const app = await buildApp(service, logger, surface)
      apps.push(app)
      await listenAt(app, addresses, port).catch((error: unknown) => {
        throw toStartError(error, host, { port, setting })
      })
    }
    return apps
  } catch (error) {
    await Promise.all(apps.map((app) => app.close()))
    throw error
  }
}

/** `setting` is the one that the port comes from. */
function toStartError(
  error: unknown,
  host: string,
  { port, setting }: { readonly port: number; readonly setting: string },
): unknown {
  if (!(error instanceof Error) || !('code' in error)) return error
  const place = `port ${port} on ${host}`
  switch (error.code) {
    case 'EADDRINUSE':
      return new StartError(`${place} is taken; set ${setting} to a free one`)
    case 'EACCES':
      return new StartError(`${place} may not be used by this user; set ${setting}`)
    case 'EADDRNOTAVAIL':
      return new StartError(`${host} is not an address of this machine; set HOST`)
    default:
      return error
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
  for (const notice of notices(service)) logEvent(logger, 'service.notice', { notice })
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

/** What an operator should know of the configuration, once, at the start. */
function notices({ config, clients }: Service): string[] {
  const { grantCounts } = clients.overview()
  const deprecated = GRANTS.filter(
    ({ name, isDeprecated }) => isDeprecated && grantCounts.has(name),
  )
  return [
    ...deprecated.map(
      ({ name }) =>
        `the ${name} grant is deprecated (RFC 9700 §2.4); clients that use it: ${grantCounts.get(name)}`,
    ),
    ...(config.issuer.startsWith('http:')
      ? [
          'the issuer is plain http: for development on this machine only',
          'the issuer is plain http: cookies go without the prefix __Host- and the flag Secure',
        ]
      : []),
  ]
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

/** Stops accepting, and waits for requests under way for DRAIN_MS at most. */
async function drain(app: FastifyInstance): Promise<void> {
  const limit = setTimeout(() => app.server.closeAllConnections(), DRAIN_MS)
  await app.close()
  clearTimeout(limit)
}
