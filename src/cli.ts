#!/usr/bin/env node
// The process of the command `lineage`.

import { runCommandLine } from './cli/run-command-line.ts'

// Whoever reads us may have read enough, as `| head` has.
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  if (error.code !== 'EPIPE') throw error
  process.exit(0)
})
// And there is nobody to tell of it.
process.stderr.on('error', () => {})
const { env, stdin, stdout, stderr } = process
process.exitCode = await runCommandLine(process.argv.slice(2), { env, stdin, stdout, stderr })
