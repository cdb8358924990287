// The process of `npm start` and of the image: the service, and nothing else.

import { loadConfig } from './config/service-config.ts'
import { describeFailure } from './runtime/describe-failure.ts'
import { checkNativePackages } from './runtime/native-packages.ts'

// Where nobody reads it any more there is nobody to tell.
process.stderr.on('error', () => {})

async function main(): Promise<void> {
  // A wrong setting is told before anything is loaded that it would have to wait for.
  const config = loadConfig(process.env)
  // Whatever needs none of these packages is loaded while another process tries them.
  await Promise.all([checkNativePackages(process.env), import('./app.ts')])
  const { serve } = await import('./serve.ts')
  await serve(process.env, config)
}

main().catch((error: unknown) => {
  process.stderr.write(`lineage: ${describeFailure(error)}\n`)
  process.exit(1)
})
