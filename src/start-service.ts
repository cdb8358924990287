// The service in as many processes as it is configured for: the one that is started serves by itself,
// or supervises workers, which start here too.

import type { Environment } from './config/environment.ts'
import { type Config, loadConfig } from './config/service-config.ts'
import { countWorkers, ownWorkerNumber } from './workers/worker-count.ts'

export type ProcessRole = 'alone' | 'supervisor' | 'worker'

export function processRole(config: Config): ProcessRole {
  if (ownWorkerNumber() !== undefined) return 'worker'
  return countWorkers(config) > 1 ? 'supervisor' : 'alone'
}

/** Throws StartError; after it has resolved the process ends by itself. */
export async function startService(
  env: Environment,
  config: Config = loadConfig(env),
): Promise<void> {
  const size = countWorkers(config)
  switch (processRole(config)) {
    case 'alone': {
      const { serve } = await import('./serve.ts')
      return await serve(env, config)
    }
    case 'supervisor': {
      const { supervise } = await import('./workers/supervise.ts')
      return await supervise(env, config, size)
    }
    case 'worker': {
      const { serveAsWorker } = await import('./workers/serve-as-worker.ts')
      return serveAsWorker(env, config, size)
    }
  }
}
