// The process that was started, where `LINEAGE_WORKERS` are several: it holds the ports, hands each
// connection to a worker, writes the log of all and ends with them. It opens no service itself.

import type { Server } from 'node:net'
import { setTimeout as delay } from 'node:timers/promises'
import type { Environment } from '../config/environment.ts'
import { type Config, findConfigWarnings } from '../config/service-config.ts'
import { arrivalsAccepted, findAddresses, openDoors } from '../http/server/listen.ts'
import { planListeners, toListenError } from '../http/server/listener-plan.ts'
import { logEvent } from '../ops/log-events.ts'
import { chooseLogFormat } from '../ops/log-format.ts'
import { openLogOutput } from '../ops/log-output.ts'
import { createLogger } from '../ops/logger.ts'
import { closeOnSignal, DRAIN_MS, stopLimitMs } from '../runtime/close-on-signal.ts'
import { type ConnectionDispatch, openConnectionDispatch } from './connection-dispatch.ts'
import { type Crew, openCrew } from './crew.ts'

interface Running {
  readonly crew: Crew
  readonly dispatch: ConnectionDispatch
  doors: readonly Server[]
  /** Set when the end has begun. */
  closing: Promise<void> | undefined
}

/**
 * Starts the service in that many workers; from then on it ends the process by itself. Throws
 * StartError, once for all of them, when it cannot.
 */
export async function supervise(env: Environment, config: Config, workers: number): Promise<void> {
  const chosen = chooseLogFormat(config.logFormat, { env, isTerminal: process.stdout.isTTY })
  const output = openLogOutput((count) => logEvent(logger, 'log.lost', { count }), chosen.format)
  const logger = createLogger(config.logLevel, output, { concerns: config.logConcerns })
  const dispatch = openConnectionDispatch()
  const crew = openCrew({ size: workers, output, logger, dispatch })
  const running: Running = { crew, dispatch, doors: [], closing: undefined }
  process.on('exit', () => crew.kill())
  closeOnSignal({
    close: () => close(running, config.shutdownDelaySeconds),
    limitMs: stopLimitMs(config.shutdownDelaySeconds),
    log: (event, fields) => logEvent(logger, event, fields),
    drainLog: output.drained,
  })
  try {
    const { clients, notices } = await crew.start()
    running.doors = await listen(config, dispatch)
    crew.serve()
    for (const notice of [...findConfigWarnings(env, config), ...chosen.notices, ...notices]) {
      logEvent(logger, 'service.notice', { notice })
    }
    const { port, issuer } = config as Config & { readonly issuer?: string }
    logEvent(logger, 'service.started', { issuer, port, clients, workers })
  } catch (error) {
    // After a signal the start fails by what is closed under it, which is no failure of its own.
    if (running.closing) return await running.closing
    await Promise.race([close(running, 0).catch(() => {}), delay(DRAIN_MS)])
    throw error
  }
}

/** Connections wait from now on until a worker is ready for them. */
async function listen(config: Config, dispatch: ConnectionDispatch): Promise<Server[]> {
  const { host } = config
  const addresses = await findAddresses(host)
  const doors: Server[] = []
  for (const [index, listener] of planListeners(config).entries()) {
    const opened = await openDoors(addresses, listener.port, (socket) => {
      dispatch.add(index, socket)
    }).catch((error: unknown) => {
      throw toListenError(error, host, listener)
    })
    doors.push(...opened)
  }
  return doors
}

/** Once: the order is that of docs/semantics.md §13. */
function close(running: Running, delaySeconds: number): Promise<void> {
  running.closing ??= closeInOrder(running, delaySeconds)
  return running.closing
}

async function closeInOrder(
  { crew, dispatch, doors }: Running,
  delaySeconds: number,
): Promise<void> {
  crew.drain()
  if (doors.length > 0) await delay(delaySeconds * 1000)
  await arrivalsAccepted(doors)
  for (const door of doors) door.close()
  const limit = new AbortController()
  await Promise.race([dispatch.emptied(), delay(DRAIN_MS, undefined, limit).catch(() => {})])
  limit.abort()
  await crew.close()
}
