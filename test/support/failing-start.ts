// A start of the service that is refused, and the one line that it ends with.

import type { Test } from 'tap'
import { type Config, loadConfig } from '../../src/config/service-config.ts'
import { createLogger } from '../../src/ops/logger.ts'
import { StartError } from '../../src/runtime/start-error.ts'
import { openService } from '../../src/wiring/open-service.ts'
import { type Environment, serverEnvironment } from './lineage-process.ts'

export type Change = (url: URL) => void

/** The environment with the URL of its database changed. */
export function changed(url: string, change: Change): Environment {
  const other = new URL(url)
  change(other)
  return serverEnvironment(other.href)
}

/** The one line of a start that fails; `down` is what it has waited for. */
export async function startFails(
  t: Test,
  env: Environment,
): Promise<{ line: string; down: string[] }> {
  const down: string[] = []
  const write = (line: string) => {
    const { event, dependency } = JSON.parse(line)
    if (event === 'dependency.down') down.push(dependency)
  }
  const config: Config = loadConfig(env)
  if (config.mode !== 'server') throw new Error('not a server')
  const error = await openService({
    config,
    logger: createLogger('info', { write }),
    applyEnv: env,
  }).then(
    async (service) => {
      await service.close()
      return undefined
    },
    (error: unknown) => error,
  )
  if (!(error instanceof StartError)) throw error ?? new Error('it has started')
  t.notMatch(error.message, /\n/)
  return { line: error.message, down }
}
