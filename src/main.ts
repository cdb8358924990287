// The process of `npm start` and of the image: the service, and nothing else.

import { loadConfig } from './config/service-config.ts'
import { describeFailure } from './runtime/describe-failure.ts'
import { checkNativePackages } from './runtime/native-packages.ts'

// If nobody reads stderr, a failure to write to it cannot be reported anywhere.
process.stderr.on('error', () => {})

async function main(): Promise<void> {
  // Before anything else is loaded, so that a wrong setting is reported at once.
  const config = loadConfig(process.env)
  // Another process tries whether native packages load; meanwhile everything without them is
  // loaded.
  await Promise.all([checkNativePackages(process.env), import('./app.ts')])
  const { serve } = await import('./serve.ts')
  await serve(process.env, config)
}

main().catch((error: unknown) => {
  process.stderr.write(`lineage: ${describeFailure(error)}\n`)
  process.exit(1)
})
