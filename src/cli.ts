#!/usr/bin/env node
// The process of the command `lineage`.

import { describeFailure } from './runtime/describe-failure.ts'
import { checkNativePackages } from './runtime/native-packages.ts'
import { leaveSignalsToSupervisor } from './workers/worker-count.ts'

// A reader that closes the pipe early, as `| head` does, ends the command without an error, and so
// does a terminal that is closed.
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  if (error.code !== 'EPIPE' && error.code !== 'EIO') throw error
  process.exit(0)
})
// For `lineage serve`, before anything else: the signal may come at any moment.
leaveSignalsToSupervisor()
// If nobody reads stderr, a failure to write to it cannot be reported anywhere.
process.stderr.on('error', () => {})

async function main(args: readonly string[]): Promise<number> {
  const { env, stdin, stdout, stderr } = process
  // Another process tries whether native packages load; meanwhile the largest module without them
  // is loaded.
  await Promise.all([checkNativePackages(env), import('./database/database.ts')])
  const { runCommandLine } = await import('./cli/run-command-line.ts')
  return await runCommandLine(args, { env, stdin, stdout, stderr })
}

process.exitCode = await main(process.argv.slice(2)).catch((error: unknown) => {
  process.stderr.write(`lineage: ${describeFailure(error)}\n`)
  return 1
})
