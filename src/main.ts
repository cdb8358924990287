// The process of `npm start` and of the image: the service, and nothing else.

import { loadConfig } from './config/service-config.ts'
import { describeFailure } from './runtime/describe-failure.ts'
import { checkNativePackages } from './runtime/native-packages.ts'
import { processRole, startService } from './start-service.ts'
import { leaveSignalsToSupervisor } from './workers/worker-count.ts'

// Before anything else: the signal may come at any moment.
leaveSignalsToSupervisor()
// If nobody reads stderr, a failure to write to it cannot be reported anywhere.
process.stderr.on('error', () => {})

async function main(): Promise<void> {
  // Before anything else is loaded, so that a wrong setting is reported at once.
  const config = loadConfig(process.env)
  const role = processRole(config)
  // Another process tries whether native packages load; meanwhile everything without them is
  // loaded. A worker is not started before they do, and its supervisor needs none of them.
  await Promise.all([
    role === 'worker' || checkNativePackages(process.env),
    role === 'supervisor' || import('./app.ts'),
  ])
  await startService(process.env, config)
}

main().catch((error: unknown) => {
  process.stderr.write(`lineage: ${describeFailure(error)}\n`)
  process.exit(1)
})
