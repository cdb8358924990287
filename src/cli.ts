#!/usr/bin/env node
// The process of the command `lineage`.

import { describeFailure } from './runtime/describe-failure.ts'
import { checkNativePackages } from './runtime/native-packages.ts'

// Whoever reads us may have read enough, as `| head` has.
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  if (error.code !== 'EPIPE') throw error
  process.exit(0)
})
// And there is nobody to tell of it.
process.stderr.on('error', () => {})

async function main(args: readonly string[]): Promise<number> {
  const { env, stdin, stdout, stderr } = process
  // The largest of what needs none of these packages is loaded while another process tries them.
  await Promise.all([checkNativePackages(env), import('./database/database.ts')])
  const { runCommandLine } = await import('./cli/run-command-line.ts')
  return await runCommandLine(args, { env, stdin, stdout, stderr })
}

process.exitCode = await main(process.argv.slice(2)).catch((error: unknown) => {
  process.stderr.write(`lineage: ${describeFailure(error)}\n`)
  return 1
})
